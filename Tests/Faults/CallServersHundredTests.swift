import Deadlines
import Flow
import Phone
import Suite
import Testing

/// Runs with `SCALE="CallServer=2"`: a hundred calls, of which each of the two has about half, in all phases at once.
@Suite("CallServers: one of two dies under a hundred calls in every phase (RELIABILITY K2)", .serialized, .timeLimit(.minutes(6)))
struct CallServersHundredTests {
    private enum Phase: String, CaseIterable {
        case beginning = "before the 100", ringing, answering = "200 without ACK", changing = "re-INVITE pending", established, prompt = "mid-prompt", gather = "mid-gather"

        var calls: Int {
            switch self {
            case .beginning, .answering, .gather: 10
            case .ringing, .changing, .prompt: 15
            case .established: 25
            }
        }
    }

    private struct Outcome: Sendable {
        let phase: Phase
        let wait: Duration
        var failure: String?
    }

    private struct Placed {
        var established: [PhoneCall] = []
        var changing: [PhoneCall] = []
        /// The callers' sides and, in the same order, the callees'.
        var ringing: [PhoneCall] = []
        var rung: [PhoneCall] = []
        var prompts: [PhoneCall] = []
        var gathers: [PhoneCall] = []
    }

    private static let patience = Interval.seconds(25)

    let suite: RunningSuite
    private let two: TwoCallServers

    init() throws {
        suite = try RunningSuite()
        two = TwoCallServers(suite: suite)
    }

    @Test("none is dropped, no phone rings twice, no packet of sound is lost, and each goes on where it was")
    func killed() async throws {
        func tone(_ frequency: Int64) -> [JSONValue] {
            (1...3).map { ["id": .string("tone\($0)"), "type": "play_tone", "option": ["frequency": .integer(frequency), "duration": 60_000]] }
        }
        let prompt = try await suite.makeNumber(running: .array([["type": "answer"]] + tone(800)))
        let gather = try await suite.makeNumber(running: .array(
            [["type": "answer"], ["id": "key", "type": "digits_receive", "option": ["duration": 120_000, "length": 1]]] + tone(1_200)))
        try await two.bothServe()
        try await withPhones(3, in: suite) { phones in
            let (caller, talks, rings) = (phones[0], phones[1], phones[2])
            await rings.setIncoming(.ring)
            var placed = Placed()
            placed.established = try await place(.established, caller, talks.number)
            placed.changing = try await place(.changing, caller, talks.number)
            for phase in [Phase.ringing, .answering] {
                for _ in 0..<phase.calls {
                    let call = try await caller.call(rings.number)
                    placed.rung.append(try await rings.incomingCall())
                    try await call.ringing()
                    placed.ringing.append(call)
                }
            }
            placed.prompts = try await place(.prompt, caller, prompt.number)
            placed.gathers = try await place(.gather, caller, gather.number)
            let talking = placed.established + placed.changing
            for call in talking + placed.prompts { #expect(await call.hearsSomething()) }
            for phone in phones { await phone.forgetWhatWasHeard() }

            let begun = (await talks.reports.count, await rings.reports.count)
            let old = try suite.pid(of: TwoCallServers.service, 2)
            try suite.leaveAlone(TwoCallServers.service, 2)
            defer { try? suite.supervise(TwoCallServers.service, 2) }
            let outcomes = try await outcomes(placed, caller, talks.number)
            tell(outcomes)
            for outcome in outcomes {
                if let failure = outcome.failure { Issue.record("\(outcome.phase.rawValue), after \(outcome.wait): \(failure)") }
            }
            for call in talking + placed.ringing + placed.prompts + placed.gathers {
                let phase = await call.report.phase
                #expect(phase == .answered, "dropped: \(call.line.number)")
            }
            let rung = (await talks.reports.count - begun.0, await rings.reports.count - begun.1)
            #expect(rung == (Phase.beginning.calls, 0), "no phone rings twice")
            var gaps: [Double] = []
            for call in talking {
                let sound = await call.report.sound
                #expect(sound.lost == 0)
                gaps.append(sound.longestGap.milliseconds)
            }
            gaps.sort()
            suite.note("gap of \(gaps.count) calls that were talked through: \(Int(gaps[gaps.count / 2])) ms (median), \(Int(gaps.last ?? 0)) (longest)")
            // What a loaded machine does to a hundred calls by itself is less (`ServersHundredTests`).
            #expect((gaps.last ?? 0) < 400)
            for call in talking + placed.ringing + placed.prompts + placed.gathers { try await call.hangup() }
            try suite.supervise(TwoCallServers.service, 2)
            try await suite.waitUntilBack(TwoCallServers.service, 2, insteadOf: old, within: .seconds(30))
            try await two.bothServe()
        }
        try await suite.eventually("nothing is left of them", within: .seconds(60)) { try suite.redis("SCARD", "tandem:call:ids").hasPrefix("0") }
    }

    /// One after the other: a suite whose answers are slow refuses calls.
    private func place(_ phase: Phase, _ caller: PhoneLine, _ number: String) async throws -> [PhoneCall] {
        var calls: [PhoneCall] = []
        for _ in 0..<phase.calls {
            let call = try await caller.call(number)
            try await call.answered()
            calls.append(call)
        }
        return calls
    }

    /// What is under way when it dies, and what is done at once after that.
    private func outcomes(_ placed: Placed, _ caller: PhoneLine, _ number: String) async throws -> [Outcome] {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            let quiet = placed.ringing.prefix(Phase.ringing.calls), answering = placed.ringing.suffix(Phase.answering.calls)
            for call in quiet { group.addTask { await Self.time(.ringing) { try await call.answered(within: .seconds(25)) } } }
            for call in answering { group.addTask { await Self.time(.answering) { try await call.answered(within: .seconds(25)) } } }
            for _ in 0..<Phase.beginning.calls {
                group.addTask {
                    await Self.time(.beginning) {
                        let call = try await caller.call(number)
                        try await call.answered(within: .seconds(25))
                        try await call.hangup()
                    }
                }
            }
            for call in placed.changing { group.addTask { await Self.time(.changing) { try await call.resume() } } }
            for call in placed.rung.suffix(Phase.answering.calls) { group.addTask { await Self.time(.answering) { try await call.answer() } } }
            try await Task.sleep(for: .milliseconds(15))
            try suite.killProcess(of: TwoCallServers.service, 2)
            for call in placed.established { group.addTask { await Self.time(.established) { try await call.resume() } } }
            for call in placed.rung.prefix(Phase.ringing.calls) { group.addTask { await Self.time(.ringing) { try await call.answer() } } }
            for (phase, calls, frequency) in [(Phase.prompt, placed.prompts, 800), (.gather, placed.gathers, 1_200)] {
                for call in calls {
                    group.addTask {
                        await Self.time(phase) {
                            if phase == .gather { try await call.send(digits: "2") }
                            guard await call.hears(Double(frequency), within: Self.patience) else { throw PhoneError.timedOut("\(frequency) Hz") }
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func time(_ phase: Phase, _ body: () async throws -> Void) async -> Outcome {
        let begin = ContinuousClock.now
        do {
            try await body()
            return Outcome(phase: phase, wait: ContinuousClock.now - begin)
        } catch {
            return Outcome(phase: phase, wait: ContinuousClock.now - begin, failure: "\(error)")
        }
    }

    private func tell(_ outcomes: [Outcome]) {
        for phase in Phase.allCases {
            let waits = outcomes.filter { $0.phase == phase }.map(\.wait).sorted()
            guard let longest = waits.last else { continue }
            suite.note("killed \(phase.rawValue): \(waits.count) done, \(waits[waits.count / 2]) (median), \(longest) (longest)")
        }
    }
}
