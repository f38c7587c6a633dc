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

    @Test("an extension is sent back as it was read, with what is changed; another number takes a password along, and leaves no phone behind")
    func sentBack() async throws {
        let (account, other) = (try await suite.makeAccount(), try await suite.makeAccount())
        let path = "/v1/extensions/\(account.id)"
        let phone = try OutsideAgent(suite, account)
        #expect(try await phone.request("REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "old", []).status == 200)
        var members = try #require(try await suite.request("GET", path).body.object)
        #expect(members["registered"]?.bool == true)
        members["name"] = "Changed"
        let changed = try await suite.request("PATCH", path, .object(members))
        #expect(changed.status == 200 && changed.body["name"]?.string == "Changed", "\(changed.body.jsonText)")
        func refusal(_ body: JSONValue) async throws -> String {
            let answer = try await suite.request("PATCH", path, body)
            return "\(answer.status) \(answer.body["errors"]?.array?.first?["pointer"]?.string ?? "")"
        }
        let number = String(Int.random(in: 200_000_000...899_999_999))
        #expect(try await refusal(["domain": "elsewhere.example"]) == "422 /domain")
        #expect(try await refusal(["number": .string(number)]) == "422 /password")
        #expect(try await refusal(["number": .string(other.number), "password": "another-long-secret"]).hasPrefix("409"))
        let renumbered = try await suite.request("PATCH", path, ["number": .string(number), "password": "another-long-secret"])
        #expect(renumbered.status == 200 && renumbered.body["registered"]?.bool == false, "\(renumbered.body.jsonText)")
        try await suite.eventually("nobody registers by the old number") {
            let answer = try await phone.request("REGISTER", "sip:\(suite.domain)", to: phone.address, callID: "old", [])
            return [403, 404].contains(answer.status ?? 0)
        }
        let renewed = try OutsideAgent(suite, RunningSuite.Account(id: account.id, number: number, password: "another-long-secret"))
        #expect(try await renewed.request("REGISTER", "sip:\(suite.domain)", to: renewed.address, callID: "new", []).status == 200)
        #expect(try await suite.request("DELETE", path).status == 204)
    }
}
