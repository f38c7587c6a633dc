import Suite
import Testing

@Suite("Calls between sipp phones", .timeLimit(.minutes(3)))
struct CallTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// A registered phone that plays `scenario` for the calls it gets.
    private func callee(_ scenario: String, calls: Int = 1, talk: Duration = .milliseconds(500)) async throws -> (String, Sipp) {
        let account = try await suite.makeAccount()
        let port = LocalPort.ten()
        try await Sipp("register", as: account, in: suite, port: port).succeeds()
        let phone = try Sipp(scenario, as: account, in: suite, port: port, talk: talk, calls: calls, echo: true)
        return (account.number, try await phone.listening())
    }

    private func call(
        _ number: String, _ scenario: String, transport: Sipp.Transport = .udp, talk: Duration = .milliseconds(500), calls: Int = 1
    ) async throws -> Sipp {
        try Sipp(
            scenario, as: try await suite.makeAccount(), in: suite, transport: transport, dial: number, talk: talk, calls: calls)
    }

    @Test("RFC 3261 §13, §15: answered, the caller hangs up", arguments: [Sipp.Transport.udp, .tcp])
    func callerHangsUp(over transport: Sipp.Transport) async throws {
        let (number, phone) = try await callee("callee")
        try await call(number, "caller", transport: transport).succeeds()
        try await phone.succeeds()
    }

    @Test("RFC 3261 §15: answered, the callee hangs up")
    func calleeHangsUp() async throws {
        let (number, phone) = try await callee("callee_leaves")
        try await call(number, "caller_left").succeeds()
        try await phone.succeeds()
    }

    @Test("Thirty calls, ten a second, and none fails")
    func aStreamOfCalls() async throws {
        let (number, phone) = try await callee("callee", calls: 30)
        try await call(number, "caller", calls: 30).succeeds(within: .seconds(30))
        try await phone.succeeds()
    }

    @Test("RFC 3264 §8.4: hold and resume by re-INVITE")
    func hold() async throws {
        let (number, phone) = try await callee("callee")
        try await call(number, "caller_holds").succeeds()
        try await phone.succeeds()
    }

    @Test("RFC 4028: 422, a session timer, refreshed by UPDATE; RFC 3311: an UPDATE with an offer")
    func sessionTimer() async throws {
        let (number, phone) = try await callee("callee")
        try await call(number, "caller_refreshes").succeeds()
        try await phone.succeeds()
    }

    @Test("RFC 3262, RFC 3960: early media by acknowledged 183s on both sides, UPDATE before the answer, a 200 without a description")
    func earlyMedia() async throws {
        let (number, phone) = try await callee("callee_progresses")
        try await call(number, "caller_hears_early").succeeds()
        try await phone.succeeds()
    }

    @Test("RFC 5589 §6: the callee transfers by REFER and leaves; the caller talks on and hears nothing of it over SIP")
    func transfer() async throws {
        let (third, target) = try await callee("callee_leaves", talk: .seconds(1))
        let account = try await suite.makeAccount()
        let port = LocalPort.ten()
        try await Sipp("register", as: account, in: suite, port: port).succeeds()
        let phone = try await Sipp("callee_transfers", as: account, in: suite, port: port, dial: third, echo: true).listening()
        try await call(account.number, "caller_left").succeeds()
        try await phone.succeeds()
        try await target.succeeds()
    }

    @Test("RFC 3515, RFC 5589 §6: a flow has the caller's phone call somebody else, and hangs up when that one has answered")
    func referred() async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "answer", "type": "answer"], ["id": "settle", "type": "sleep", "option": ["duration": 300]],
            ["id": "hand", "type": "transfer", "option": ["destinations": [["type": "extension", "target": "1003"]], "method": "refer"]],
            ["id": "wrong", "type": "sleep", "option": ["duration": 60_000]],
        ])
        try await call(number.number, "caller_referred").succeeds()
    }

    @Test("RFC 6086: keys in INFO requests reach a flow, each once")
    func keysInMessages() async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "in", "type": "digits_receive", "option": ["duration": 10_000, "length": 2]],
            ["id": "choice", "type": "branch", "option": ["target_ids": ["42": "right"], "default_target_id": "wrong"]],
            ["id": "right", "type": "hangup", "option": [:]],
            ["id": "wrong", "type": "sleep", "option": ["duration": 60_000]],
        ])
        try await call(number.number, "caller_presses").succeeds()
    }

    @Test("RFC 3261 §9: CANCEL reaches the ringing phone, the INVITE ends with 487")
    func cancel() async throws {
        let (number, phone) = try await callee("callee_rings")
        try await call(number, "caller_cancels").succeeds()
        try await phone.succeeds()
    }

    @Test("RFC 3261 §21: busy and decline reach the caller", arguments: [("callee_busy", "caller_busy"), ("callee_declines", "caller_declined")])
    func refused(_ scenarios: (callee: String, caller: String)) async throws {
        let (number, phone) = try await callee(scenarios.callee)
        try await call(number, scenarios.caller).succeeds()
        try await phone.succeeds()
    }

    @Test("RFC 3261 §21.4.5: an unknown number is 404")
    func unknownNumber() async throws {
        try await call("199999", "caller_unknown").succeeds()
    }

    @Test("RFC 3264 §6: an offer with no codec of ours is 488")
    func incompatibleOffer() async throws {
        try await call("600", "caller_incompatible").succeeds()
    }
}
