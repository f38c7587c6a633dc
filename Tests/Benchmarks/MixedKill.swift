import Deadlines
import Glibc
import Phone
import Threads

/// Calls in every phase at once, and one of two call servers is killed (RELIABILITY K2): what becomes of each, and how long does it
/// take? Wants `make up SCALE="CallServer=2"`.
struct MixedKill {
    let settings: Settings
    var calls = 100
    var rate = 10

    private enum Phase: String, CaseIterable {
        case beginning = "before the 100", ringing, answering = "200 without ACK", changing = "re-INVITE pending", up = "established"
        case prompt = "mid-prompt", gather = "mid-gather"

        /// Of a hundred.
        var share: Int {
            switch self {
            case .beginning, .answering, .gather: 10
            case .ringing, .changing, .prompt: 15
            case .up: 25
            }
        }
    }

    private struct Outcome: Sendable {
        let phase: Phase
        let wait: Interval
        var failure: String?
    }

    private struct Placed {
        var up: [PhoneCall] = []
        var changing: [PhoneCall] = []
        /// The callers' sides and, in the same order, the callees'.
        var ringing: [PhoneCall] = []
        var rung: [PhoneCall] = []
        var prompts: [PhoneCall] = []
        var gathers: [PhoneCall] = []
    }

    /// `talks` answers, `rings` does not.
    private struct Lines {
        let caller: PhoneLine
        let talks: PhoneLine
        let rings: PhoneLine
        var all: [PhoneLine] { [caller, talks, rings] }
    }

    /// No prompt has this.
    private static let echoed = 2_600

    private func count(_ phase: Phase) -> Int { max(1, phase.share * calls / 100) }

    func run() async throws -> [Figure] {
        let servers = Processes.named("CallServer")
        guard servers.count > 1, let victim = servers.last else { throw Settings.Missing(text: "there is one CallServer: make up SCALE=\"CallServer=2\"") }
        let lines = Lines(
            caller: PhoneLine(try settings.phone("1001", tone: 440), on: PhoneLoops.next()),
            talks: PhoneLine(try settings.phone("1002", tone: 620), on: PhoneLoops.next()),
            rings: PhoneLine(try settings.phone("1003", tone: 620), on: PhoneLoops.next()))
        for line in [lines.talks, lines.rings] { try await line.register() }
        await lines.rings.setIncoming(.ring)
        let placed = try await place(lines)
        for line in lines.all { await line.forgetWhatWasHeard() }
        let outcomes = await outcomes(lines, placed, victim)
        let figures = await figures(outcomes, lines, placed)
        for line in lines.all { await line.close() }
        return figures
    }

    // MARK: Until the kill

    /// The menu's prompt takes some seven seconds, and its keys are awaited for eight.
    private func place(_ lines: Lines) async throws -> Placed {
        var placed = Placed()
        placed.up = try await place(count(.up), "1002", lines.caller)
        placed.changing = try await place(count(.changing), "1002", lines.caller)
        placed.ringing = try await place(count(.ringing) + count(.answering), "1003", lines.caller, untilAnswered: false)
        for _ in placed.ringing { placed.rung.append(try await lines.rings.incomingCall()) }
        placed.gathers = try await place(count(.gather), "700", lines.caller)
        try await Task.sleep(for: .seconds(7))
        placed.prompts = try await withThrowingTaskGroup(of: PhoneCall.self) { group in
            for _ in 0..<count(.prompt) {
                group.addTask {
                    let call = try await lines.caller.call("700")
                    try await call.answered(within: .seconds(30))
                    return call
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for call in placed.prompts + placed.gathers { try await call.setTone(Self.echoed) }
        return placed
    }

    private func place(_ count: Int, _ number: String, _ caller: PhoneLine, untilAnswered: Bool = true) async throws -> [PhoneCall] {
        var placed: [PhoneCall] = []
        for _ in 0..<count {
            let call = try await caller.call(number)
            if untilAnswered { try await call.answered(within: .seconds(30)) } else { try await call.ringing(within: .seconds(30)) }
            placed.append(call)
            try await Task.sleep(for: .nanoseconds(1_000_000_000 / (rate * 4)))
        }
        return placed
    }

    // MARK: The kill, and what is done at it

    private func outcomes(_ lines: Lines, _ placed: Placed, _ victim: Int32) async -> [Outcome] {
        await withTaskGroup(of: Outcome?.self) { group in
            let answering = count(.answering)
            // Who calls sees how long it takes.
            for (number, call) in placed.ringing.enumerated() {
                group.addTask { await Self.time(number < answering ? .answering : .ringing) { try await call.answered(within: .seconds(20)) } }
            }
            // Under way when it dies.
            for _ in 0..<count(.beginning) {
                group.addTask { await Self.time(.beginning) { try await lines.caller.call("1002").answered(within: .seconds(20)) } }
            }
            for call in placed.changing { group.addTask { await Self.time(.changing) { try await call.resume() } } }
            for call in placed.rung.prefix(answering) { group.addTask { await Self.failure(.answering) { try await call.answer() } } }
            try? await Task.sleep(for: .milliseconds(15))
            kill(victim, SIGKILL)
            // And at once.
            for call in placed.up { group.addTask { await Self.time(.up) { try await call.resume() } } }
            for call in placed.rung.dropFirst(answering) { group.addTask { await Self.failure(.ringing) { try await call.answer() } } }
            for (phase, calls) in [(Phase.prompt, placed.prompts), (.gather, placed.gathers)] {
                for call in calls { group.addTask { await Self.time(phase) { try await Self.echoes(call) } } }
            }
            return await group.reduce(into: []) { outcomes, outcome in if let outcome { outcomes.append(outcome) } }
        }
    }

    /// The menu's second choice sends back what is said.
    private static func echoes(_ call: PhoneCall) async throws {
        try await call.send(digits: "2")
        guard await call.hears(Double(echoed), within: .seconds(20)) else { throw PhoneError.timedOut("the echo") }
    }

    private static func time(_ phase: Phase, _ body: () async throws -> Void) async -> Outcome {
        let begin = MonotonicClock.now()
        do {
            try await body()
            return Outcome(phase: phase, wait: MonotonicClock.now() - begin)
        } catch {
            return Outcome(phase: phase, wait: MonotonicClock.now() - begin, failure: "\(error)")
        }
    }

    /// Nil when it went well.
    private static func failure(_ phase: Phase, _ body: () async throws -> Void) async -> Outcome? {
        let outcome = await time(phase, body)
        return outcome.failure == nil ? nil : outcome
    }

    // MARK: Afterwards

    private func figures(_ outcomes: [Outcome], _ lines: Lines, _ placed: Placed) async -> [Figure] {
        try? await Task.sleep(for: .seconds(2))
        var figures = Phase.allCases.map { phase in
            let these = outcomes.filter { $0.phase == phase }
            let failures = these.compactMap(\.failure)
            var value = "\(these.count) done, \(failures.count) failed; \(Sample(these.filter { $0.failure == nil }.map(\.wait)).text(decimals: 0))"
            if let first = failures.first { value += ": \(first)" }
            return Figure(subject: "killed \(phase.rawValue)", value: value, target: "none failed, 2 s (500 ms)")
        }
        var (dropped, lost, gaps) = (0, 0, [Interval]())
        for call in placed.up + placed.changing {
            let report = await call.report
            if report.phase != .answered { dropped += 1 }
            lost += report.sound.lost
            gaps.append(report.sound.longestGap + .milliseconds(-20))
        }
        for call in placed.ringing + placed.prompts + placed.gathers where await call.report.phase != .answered { dropped += 1 }
        let wanted = (placed.up.count + placed.changing.count + count(.beginning), placed.ringing.count)
        let rings = await (lines.talks.reports.count, lines.rings.reports.count)
        figures.append(Figure(
            subject: "\(calls) calls in all phases, one of two call servers killed",
            value: "\(dropped) dropped, \(rings.0 + rings.1 - wanted.0 - wanted.1) second rings, \(lost) packets lost, gap \(Sample(gaps).text(decimals: 0))",
            target: "0, 0, 0, 40 ms"))
        return figures
    }
}
