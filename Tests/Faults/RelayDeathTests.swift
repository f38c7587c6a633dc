import Foundation
import Phone
import Suite
import Testing

/// One at a time: each kills what the others talk through.
@Suite("A process of the media relay dies under live calls (RELIABILITY K4, K9)", .serialized, .timeLimit(.minutes(4)))
struct RelayDeathTests {
    enum Victim: String, CaseIterable { case worker, keeper, bothInTurn, frozen }

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("sound goes on over the same ports, calls can be changed and ended, and new ones work", arguments: Victim.allCases)
    func soundGoesOn(victim: Victim) async throws {
        try await withPhones(4, in: suite) { phones in
            let first = try await connect(phones[0], phones[1])
            let second = try await connect(phones[2], phones[3])
            let calls = [first.0, first.1, second.0, second.1]
            for (call, tone) in zip(calls, [1, 0, 3, 2]) { #expect(await call.hears(Double(Tones.of(tone)))) }
            var before: [SoundReport] = []
            for call in calls { before.append(await call.report.sound) }
            try await kill(victim)
            try await Task.sleep(for: .seconds(2))
            for (index, call) in calls.enumerated() {
                let after = await call.report.sound
                #expect(await call.hears(Double(Tones.of([1, 0, 3, 2][index])), within: .seconds(5)))
                #expect(after.lost - before[index].lost <= 2, "RELIABILITY K4")
                #expect(after.sources == 1 && after.unexpected == before[index].unexpected, "nobody hears that it is another process")
            }
            try await first.0.hold()
            try await first.0.resume()
            #expect(await first.1.hears(Double(Tones.of(0)), within: .seconds(5)))
            for (active, passive) in [first, second] {
                try await active.hangup()
                #expect(try await passive.ended() == .hungUpThere)
            }
            let again = try await connect(phones[1], phones[2])
            #expect(await again.0.hears(Double(Tones.of(2)), within: .seconds(5)))
            try await again.0.hangup()
        }
    }

    @Test("a call that has only just begun goes on as one does that has lasted")
    func justBegun() async throws {
        try await withPhones(4, in: suite) { phones in
            let old = try await connect(phones[0], phones[1])
            for (call, tone) in zip([old.0, old.1], [1, 0]) { #expect(await call.hears(Double(Tones.of(tone)))) }
            try await Task.sleep(for: .seconds(1))
            let young = try await connect(phones[2], phones[3])
            let worker = try suite.worker(of: "MediaRelay")
            // What the standby knows of it is not a second old.
            try suite.killWorker(of: "MediaRelay")
            try await suite.waitUntilWorks("MediaRelay", insteadOf: worker)
            let calls = [old.0, old.1, young.0, young.1]
            for (call, tone) in zip(calls, [1, 0, 3, 2]) {
                #expect(await call.report.sound.sources <= 1, "nobody hears that it is another process")
                await call.forgetWhatWasHeard()
                #expect(await call.hears(Double(Tones.of(tone)), within: .seconds(5)))
            }
            for (active, passive) in [old, young] {
                try await active.hold()
                try await active.resume()
                try await active.hangup()
                #expect(try await passive.ended() == .hungUpThere)
            }
        }
    }

    @Test("keeper and worker die together: when the relay is back under its name, its calls are offered new sessions there, and are heard again")
    func nothingIsLeft() async throws {
        try await withPhones(4, in: suite) { phones in
            let first = try await connect(phones[0], phones[1])
            let second = try await connect(phones[2], phones[3])
            let calls = [first.0, first.1, second.0, second.1]
            for (call, tone) in zip(calls, [1, 0, 3, 2]) { #expect(await call.hears(Double(Tones.of(tone)))) }
            let keeper = try suite.pid(of: "MediaRelay")
            try suite.leaveAlone("MediaRelay")
            try suite.killProcess(of: "MediaRelay")
            try suite.killWorker(of: "MediaRelay")
            try suite.supervise("MediaRelay")
            try await suite.waitUntilBack("MediaRelay", insteadOf: keeper)
            for (call, tone) in zip(calls, [1, 0, 3, 2]) {
                await call.forgetWhatWasHeard()
                #expect(await call.hears(Double(Tones.of(tone)), within: .seconds(10)))
            }
            for (active, passive) in [first, second] {
                try await active.hold()
                try await active.resume()
                try await active.hangup()
                #expect(try await passive.ended() == .hungUpThere)
            }
        }
    }

    private func kill(_ victim: Victim) async throws {
        let relay = "MediaRelay"
        let (keeper, worker) = (try suite.pid(of: relay), try suite.worker(of: relay))
        switch victim {
        case .worker: try suite.killWorker(of: relay)
        case .keeper: try suite.killProcess(of: relay)
        case .bothInTurn:
            try suite.killProcess(of: relay)
            try await suite.waitUntilBack(relay, insteadOf: keeper)
            // Its standby has to know everything before it can go on.
            try await Task.sleep(for: .seconds(2))
            try suite.killWorker(of: relay)
        case .frozen: try suite.freezeWorker(of: relay)
        }
        switch victim {
        case .keeper: try await suite.waitUntilBack(relay, insteadOf: keeper)
        case .worker, .bothInTurn, .frozen: try await suite.waitUntilWorks(relay, insteadOf: worker)
        }
    }
}
