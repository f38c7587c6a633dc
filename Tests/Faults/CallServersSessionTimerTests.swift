import Foundation
import Suite
import Testing

/// What a call knows besides who talks: here, when its session expires. sipp's phones take no message that their scenario does not have, and
/// miss each that does not come; so none dies just when a repetition would be in order, of an ACK or an INVITE.
@Suite("CallServers: one dies between the refreshes of a session (RFC 4028; RELIABILITY K2)", .serialized, .timeLimit(.minutes(3)))
struct CallServersSessionTimerTests {
    private static let service = "CallServer"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// So long after the call has come; again until one was the second's: rendezvous sends half of all there.
    @Test("the phones notice nothing", arguments: [250, 400, 700])
    func dies(milliseconds: Int) async throws {
        let pause = Duration.milliseconds(milliseconds)
        for _ in 0..<12 {
            let (number, phone) = try await callee("callee")
            let before = (try await begun(1), try await begun(2))
            let caller = try SippScenario("caller_refreshes", as: try await suite.makeAccount(), in: suite, dial: number)
            try await suite.eventually("the call has come") {
                let begun = (try await begun(1), try await begun(2))
                return begun.0 > before.0 || begun.1 > before.1
            }
            try await Task.sleep(for: pause)
            let isSeconds = try await begun(2) > before.1
            let old = try suite.pid(of: Self.service, 2)
            if isSeconds {
                try suite.leaveAlone(Self.service, 2)
                try suite.killProcess(of: Self.service, 2)
            }
            defer { if isSeconds { try? suite.supervise(Self.service, 2) } }
            var troubles: [String] = []
            for scenario in [caller, phone] {
                if let trouble = try await scenario.trouble(within: .seconds(30)) { troubles.append(trouble) }
            }
            #expect(troubles.isEmpty, "\(pause) after it came: \(troubles.joined(separator: "\n\n"))")
            guard isSeconds else { continue }
            print("session timer, killed \(pause) after it came: \(troubles.isEmpty ? "well" : "not well")")
            try suite.supervise(Self.service, 2)
            try await suite.waitUntilBack(Self.service, 2, insteadOf: old, within: .seconds(30))
            return try await suite.eventually("both call servers serve") {
                try await suite.metric("tandem_edge_servers_alive", "kind=\"call\"", of: "EdgeProxy") == 2
            }
        }
        throw RunningSuite.Missing.refused("no call came to the second server")
    }

    private func begun(_ instance: Int) async throws -> Double { try await suite.metric("tandem_call_legs_total", of: Self.service, instance) }

    private func callee(_ scenario: String) async throws -> (number: String, phone: SippScenario) {
        let account = try await suite.makeAccount()
        let port = LocalPort.ten()
        let trouble = try await SippScenario("register", as: account, in: suite, port: port).trouble()
        guard trouble == nil else { throw RunningSuite.Missing.refused("\(scenario) cannot register") }
        let phone = try SippScenario(scenario, as: account, in: suite, port: port, echo: true)
        try await phone.listening()
        return (account.number, phone)
    }
}
