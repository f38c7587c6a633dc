import Suite
import Testing

@Suite("sipsak", .timeLimit(.minutes(1)))
struct SipsakTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("RFC 3261 §11: it asks the edge by OPTIONS whether it is there", arguments: [Sipp.Transport.udp, .tcp])
    func options(over transport: Sipp.Transport) async throws {
        let sipsak = try Program("sipsak", ["-v", "-E", "\(transport)", "-s", "sip:\(suite.sip)"])
        #expect(try await sipsak.end(within: .seconds(10)) == 0, "\(sipsak.output)")
    }

    @Test("RFC 3261 §10, RFC 7616: it registers with digest, finds its binding, and removes it")
    func registers() async throws {
        let account = try await suite.makeAccount()
        func register(_ contact: String, expires: Int, _ password: String) async throws -> (status: Int32, output: String) {
            let sipsak = try Program(
                "sipsak",
                [
                    "-v", "-v", "-U", "-C", contact, "-x", "\(expires)", "-s", "sip:\(account.number)@\(suite.sip)", "-u",
                    account.number, "-a", password,
                ])
            return (try await sipsak.end(within: .seconds(10)), sipsak.output)
        }
        let contact = "sip:\(account.number)@127.0.0.1:9"
        #expect(try await register(contact, expires: 60, "not-" + account.password).status != 0)
        #expect(try await !suite.isRegistered(account))
        let registered = try await register(contact, expires: 60, account.password)
        #expect(registered.status == 0, "\(registered.output)")
        #expect(try await suite.isRegistered(account))
        let removed = try await register("*", expires: 0, account.password)
        #expect(removed.status == 0, "\(removed.output)")
        #expect(try await !suite.isRegistered(account))
    }
}
