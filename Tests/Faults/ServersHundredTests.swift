import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// Runs with `SCALE="CallServer=2 FlowManager=2"`. Fifty calls of two phones each, and fifty with a flow that sends their own sound back.
@Suite("Servers: RabbitMQ, Redis and PostgreSQL crash under a hundred calls (RELIABILITY D1, D2, D3)", .serialized, .timeLimit(.minutes(8)))
struct ServersHundredTests {
    private static let pairs = 50
    private static let echoes = 50
    /// Of calls that are changed side by side; a debug build on two processors is not faster for more.
    private static let atOnce = 5

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("one after the other: none is dropped, no packet of sound is lost, each call can be changed and ended, and every record is there")
    func oneAfterTheOther() async throws {
        let echo = try await suite.makeNumber(running: [["type": "answer"], ["type": "echo", "option": ["duration": 600_000]], ["type": "hangup"]])
        try await withPhones(Self.pairs * 2 + Self.echoes, in: suite) { phones in
            var calls: [(PhoneCall, PhoneCall?)] = []
            // One after the other: a suite whose answers are slow refuses calls.
            for pair in 0..<Self.pairs { calls.append(try await connect(phones[pair * 2], phones[pair * 2 + 1])) }
            for phone in phones.suffix(Self.echoes) {
                let call = try await phone.call(echo.number)
                try await call.answered()
                calls.append((call, nil))
            }
            var ids: [String] = []
            for (call, _) in calls { ids.append(try await suite.callID(from: call.line.number)) }
            let heard = calls.flatMap { [$0.0, $0.1].compactMap(\.self) }
            for call in heard {
                #expect(await call.hearsSomething())
                await call.forgetWhatWasHeard()
            }
            // The same time without a crash first: what this machine does to a hundred calls by itself.
            try await Task.sleep(for: .seconds(5))
            await judge(heard, "before")
            for server in RunningSuite.Server.allCases {
                for call in heard { await call.forgetWhatWasHeard() }
                try await suite.crash(server)
                try await Task.sleep(for: .seconds(3))
                try await suite.startServers()
                try await Task.sleep(for: .seconds(2))
                await judge(heard, "\(server)")
                let begin = ContinuousClock.now
                try await each(calls) { call, _ in
                    try await suite.again(within: .seconds(15)) { try await call.hold() }
                    try await suite.again(within: .seconds(15)) { try await call.resume() }
                }
                suite.note("\(server): all \(calls.count) held and resumed in \(ContinuousClock.now - begin)")
                for call in heard { #expect(await call.report.phase == .answered) }
            }
            try await each(calls) { call, other in
                try await call.hangup()
                if let other { #expect(try await other.ended(within: .seconds(20)) == .hungUpThere) }
            }
            for id in ids {
                try await suite.eventually("the record of \(id) is complete", within: .seconds(40)) {
                    try await suite.request("GET", "/v1/calls/\(id)").body["status"]?.string == "completed"
                }
            }
            try await suite.eventually("nothing is left of them") { try suite.redis("SCARD", "tandem:call:ids").hasPrefix("0") }
        }
    }

    /// No packet lost, and no gap that a loaded machine does not make by itself.
    private func judge(_ calls: [PhoneCall], _ when: String) async {
        var gaps: [Double] = []
        var (lost, quiet) = (0, 0)
        for call in calls {
            let sound = await call.report.sound
            gaps.append(sound.longestGap.milliseconds)
            lost += sound.lost
            if sound.level < -45 { quiet += 1 }
        }
        gaps.sort()
        suite.note("\(when): \(calls.count) phones, gap \(Int(gaps[gaps.count / 2])) ms (median), \(Int(gaps[gaps.count * 95 / 100])) (95 %), \(Int(gaps.last ?? 0)) (longest), \(lost) packets lost")
        #expect(lost == 0 && quiet == 0 && (gaps.last ?? 0) < 400, "\(when): \(lost) lost, \(quiet) silent, longest gap \(Int(gaps.last ?? 0)) ms")
    }

    private func each(_ calls: [(PhoneCall, PhoneCall?)], _ body: @Sendable @escaping (PhoneCall, PhoneCall?) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (place, call) in calls.enumerated() {
                if place >= Self.atOnce { try await group.next() }
                group.addTask { try await body(call.0, call.1) }
            }
            try await group.waitForAll()
        }
    }
}
