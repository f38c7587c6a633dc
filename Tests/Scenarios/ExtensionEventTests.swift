import Flow
import Suite
import Testing

@Suite("What happens to an extension is told as it happens", .timeLimit(.minutes(1)))
struct ExtensionEventTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("created, changed and deleted, in this order, and never with the password")
    func life() async throws {
        let stream = try EventStream(suite, query: "types=extension.created,extension.updated,extension.deleted")
        let account = try await suite.makeAccount()
        let path = "/v1/extensions/\(account.id)"
        let changed = try await suite.request("PATCH", path, ["name": "Renamed", "password": "another-long-secret"])
        #expect(changed.status == 200 && changed.body["name"]?.string == "Renamed", "\(changed.body.jsonText)")
        let old = try OutsideAgent(suite, account)
        #expect(try await old.request("REGISTER", "sip:\(suite.domain)", to: old.address, callID: "old", []).status == 403)
        let renewed = RunningSuite.Account(id: account.id, number: account.number, password: "another-long-secret")
        let phone = try OutsideAgent(suite, renewed)
        #expect(try await phone.request("REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "new", []).status == 200)
        #expect(try await suite.request("DELETE", path).status == 204)
        let gone = try await phone.request("REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "new", [])
        #expect([403, 404].contains(gone.status), "by the edge once it has heard, by the registrar before")
        let events = try await stream.events(of: account.id, until: "extension.deleted", within: .seconds(10))
        await stream.close()
        #expect(events.compactMap { $0["type"]?.string } == ["extension.created", "extension.updated", "extension.deleted"])
        #expect(events.allSatisfy { $0["data"]?["number"]?.string == account.number })
        #expect(events.map { $0["data"]?["name"]?.string } == ["Test \(account.number)", "Renamed", "Renamed"])
        #expect(!events.contains { $0.jsonText.contains("secret") || $0.jsonText.contains(account.password) })
    }
}
