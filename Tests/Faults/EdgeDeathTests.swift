import Deadlines
import Foundation
import Phone
import SIP
import Suite
import Testing

/// RELIABILITY K1, with the second edge as every phone's standby; the suite runs with `SCALE="EdgeProxy=2"`.
@Suite("One of two edges dies", .serialized, .timeLimit(.minutes(5)))
struct EdgeDeathTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// 50 calls, as phones of an operator are mixed.
    private static let calls: [(transport: Transport, count: Int)] = [(.udp, 30), (.tcp, 10), (.tls, 5), (.ws, 5)]

    @Test("fifty calls go on: sound without loss, then hold, resume and BYE from either side through the other edge")
    func callsGoOn() async throws {
        var pairs: [Pair] = []
        for (transport, count) in Self.calls {
            for _ in 0..<count { pairs.append(try await pair(over: transport)) }
        }
        try await each(pairs) { try await $0.connect() }
        // The same three seconds without a death first: what this machine does to fifty calls by itself.
        for pair in pairs { try await pair.listen() }
        try await Task.sleep(for: .seconds(3))
        let failures = Failures()
        for pair in pairs { await failures.note("\(pair.transport) before the kill: gap \(Int(try await pair.gap() * 1000)) ms") }
        for pair in pairs { try await pair.listen() }
        let old = try suite.pid(of: "EdgeProxy")
        try suite.leaveAlone("EdgeProxy")
        defer { try? suite.supervise("EdgeProxy") }
        try suite.killProcess(of: "EdgeProxy")
        let killed = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for (index, pair) in pairs.enumerated() {
                group.addTask {
                    do {
                        try await pair.changeAndEnd(by: index.isMultiple(of: 2) ? .caller : .callee, since: killed, failures)
                    } catch { await failures.add("\(index) \(pair.transport): \(error)") }
                }
            }
        }
        let found = await failures.texts
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
        try await failures.write(to: "\(suite.folder)/logs/edge-death.txt")
        for pair in pairs where pair.transport != .udp { try await pair.callAgain() }
        for pair in pairs { await pair.close() }
        try suite.supervise("EdgeProxy")
        try await suite.waitUntilBack("EdgeProxy", insteadOf: old)
    }

    @Test("calls over UDP that ring at that moment are answered")
    func ringing() async throws {
        var pairs: [Pair] = []
        for _ in 0..<5 { pairs.append(try await pair(over: .udp)) }
        for pair in pairs { await pair.callee.setIncoming(.ring) }
        var ringing: [(PhoneCall, PhoneCall)] = []
        for pair in pairs {
            let call = try await pair.caller.call(pair.callee.number)
            try await call.ringing()
            ringing.append((call, try await pair.callee.incomingCall()))
        }
        let old = try suite.pid(of: "EdgeProxy")
        try suite.leaveAlone("EdgeProxy")
        defer { try? suite.supervise("EdgeProxy") }
        try suite.killProcess(of: "EdgeProxy")
        for (_, incoming) in ringing { try await incoming.answer() }
        for (call, incoming) in ringing {
            try await call.answered()
            #expect(await call.hears(620))
            #expect(await incoming.hears(440))
            try await call.hangup()
            _ = try await incoming.ended()
        }
        for pair in pairs { await pair.close() }
        try suite.supervise("EdgeProxy")
        try await suite.waitUntilBack("EdgeProxy", insteadOf: old)
    }

    /// A stream takes what was ringing over it along: the phones come back over the other edge, where the caller can give up and
    /// everybody can be called and hang up.
    @Test("RFC 5626 §4.5: phones over connections that ring at that moment come back, are called and hang up", arguments: [
        Transport.tcp, .tls, .ws,
    ])
    func ringingOverConnections(transport: Transport) async throws {
        let (near, far, caller) = (try await phone(transport, 440), try await phone(transport, 620), try await phone(.udp, 440))
        let other = try await phone(transport, 620)
        for phone in [far, other] { await phone.setIncoming(.ring) }
        let lost = try await near.call(far.number)
        let kept = try await caller.call(other.number)
        for call in [lost, kept] { try await call.ringing() }
        _ = try await far.incomingCall()
        _ = try await other.incomingCall()
        let old = try suite.pid(of: "EdgeProxy")
        try suite.leaveAlone("EdgeProxy")
        defer { try? suite.supervise("EdgeProxy") }
        try suite.killProcess(of: "EdgeProxy")
        guard case .failed = try await lost.ended() else {
            Issue.record("the caller's connection ended and its call did not")
            return
        }
        // Whose connection is another one hangs up what rings in vain.
        try await kept.hangup()
        #expect(try await kept.ended(within: .seconds(15)) == .cancelled)
        for (from, to) in [(near, far), (far, near), (caller, other)] {
            await to.setIncoming(.answer(after: .zero))
            let outgoing = try await from.call(to.number)
            try await outgoing.answered(within: .seconds(15))
            let incoming = try await to.incomingCall()
            try await incoming.hangup()
            #expect(try await outgoing.ended() == .hungUpThere)
        }
        for phone in [near, far, caller, other] { await phone.close() }
        try suite.supervise("EdgeProxy")
        try await suite.waitUntilBack("EdgeProxy", insteadOf: old)
    }

    private func pair(over transport: Transport) async throws -> Pair {
        Pair(transport, caller: try await phone(transport, 440), callee: try await phone(transport, 620))
    }

    private func phone(_ transport: Transport, _ tone: Int) async throws -> PhoneLine {
        let account = try await suite.makeAccount()
        var settings = PhoneSettings(
            number: account.number, domain: suite.domain, password: account.password, proxy: try suite.proxy(over: transport))
        (settings.transport, settings.trusted, settings.tone) = (transport, suite.certificate, tone)
        settings.standby = try suite.standby(over: transport)
        let phone = PhoneLine(settings)
        try await phone.register()
        return phone
    }

    private func each(_ pairs: [Pair], _ body: @Sendable @escaping (Pair) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for pair in pairs { group.addTask { try await body(pair) } }
            try await group.waitForAll()
        }
    }
}
