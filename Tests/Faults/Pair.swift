import Foundation
import Phone
import SIP
import Suite

/// Two phones that talk through the first edge, each with the second as its standby.
actor Pair {
    enum Side: Sendable { case caller, callee }

    nonisolated let transport: Transport
    nonisolated let caller: PhoneLine
    nonisolated let callee: PhoneLine
    private var calls: (PhoneCall, PhoneCall)?
    private var lostBefore = 0

    init(_ transport: Transport, caller: PhoneLine, callee: PhoneLine) {
        (self.transport, self.caller, self.callee) = (transport, caller, callee)
    }

    func connect() async throws { calls = try await Suite.connect(caller, callee) }

    /// The longest gap that either heard since `listen`.
    func gap() async throws -> Double {
        let (outgoing, incoming) = try both()
        return await max(outgoing.report.sound.longestGap.seconds, incoming.report.sound.longestGap.seconds)
    }

    /// Counts of sound begin here.
    func listen() async throws {
        let (outgoing, incoming) = try both()
        await outgoing.forgetWhatWasHeard()
        await incoming.forgetWhatWasHeard()
        lostBefore = await outgoing.report.sound.lost + incoming.report.sound.lost
    }

    /// Hold and resume by one side, who then hangs up: what a person does with a call. The figures go to the report.
    func changeAndEnd(by side: Side, since killed: ContinuousClock.Instant, _ figures: Failures) async throws {
        let (outgoing, incoming) = try both()
        let (active, passive) = side == .caller ? (outgoing, incoming) : (incoming, outgoing)
        // Three seconds of sound while nobody signals, and the death has been noticed or not: half of them do not wait.
        if side == .caller { try await Task.sleep(for: .seconds(3)) }
        let gap = try await gap()
        let lost = await outgoing.report.sound.lost + incoming.report.sound.lost - lostBefore
        if lost != 0 { await figures.add("\(transport): \(lost) packets of sound were lost") }
        let begin = ContinuousClock.now
        try await reconnecting { try await active.hold() }
        let held = ContinuousClock.now
        try await active.resume()
        let resumed = ContinuousClock.now
        try await active.hangup()
        let hungUp = ContinuousClock.now
        let end = try await passive.ended(within: .seconds(15))
        let over = ContinuousClock.now
        if end != .hungUpThere { await figures.add("\(transport): the other side's call ended with \(end)") }
        await figures.note(
            "\(transport) \(side): \(begin - killed) after the kill: gap \(Int(gap * 1000)) ms, hold \(held - begin), "
                + "resume \(resumed - held), BYE \(hungUp - resumed), the other side's BYE \(over - hungUp)")
    }

    /// What was on its way when the connection was lost has to be sent again over the next one: streams repeat nothing.
    private func reconnecting(_ body: () async throws -> Void) async throws {
        do { try await body() } catch PhoneError.unreachable where transport.isReliable { try await body() }
    }

    /// Both came back: each can be called.
    func callAgain() async throws {
        let (outgoing, incoming) = try await Suite.connect(callee, caller)
        try await outgoing.hangup()
        _ = try await incoming.ended()
    }

    func close() async {
        await caller.close()
        await callee.close()
    }

    private func both() throws -> (PhoneCall, PhoneCall) {
        guard let calls else { throw PhoneError.wrongState("the pair is not connected") }
        return calls
    }
}

/// What went wrong with any of many calls, and how long things took.
actor Failures {
    private(set) var texts: [String] = []
    private var figures: [String] = []

    func add(_ text: String) { texts.append(text) }
    func note(_ figure: String) { figures.append(figure) }

    func write(to path: String) throws {
        try (figures + texts).joined(separator: "\n").appending("\n").write(toFile: path, atomically: true, encoding: .utf8)
    }
}
