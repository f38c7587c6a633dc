import Deadlines
import Flow
import Phone
import Suite
import Testing

@Suite("Calls are parked and fetched", .timeLimit(.minutes(3)))
struct ParkTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("Music while it waits, then both hear each other; who fetches nothing is told; the flow goes on when one has left")
    func parkedAndFetched() async throws {
        let lot = "lot\(UInt32.random(in: .min ... .max))"
        let park = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "park", "type": "park", "option": ["lot": .string(lot), "first": 7, "last": 9]],
            ["id": "check", "type": "condition", "option": ["expression": "results.park.slot == '7' and results.park.result == 'completed'", "false_target_id": "bye"]],
            ["id": "tone", "type": "play_tone", "option": ["frequency": 1200, "duration": 2000]], ["id": "bye", "type": "hangup"],
        ])
        let fetch = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "get", "type": "park", "option": ["lot": .string(lot), "retrieve": "7", "failed_target_id": "none"]],
            ["id": "bye", "type": "hangup"], ["id": "none", "type": "play_tone", "option": ["frequency": 1800, "duration": 2000], "next_id": "bye"],
        ])
        try await withPhones(2, in: suite) { phones in
            let empty = try await phones[1].call(fetch.number)
            try await empty.answered()
            #expect(await empty.hears(1800), "there is nobody")
            _ = try await empty.ended(within: .seconds(8))
            let waiting = try await phones[0].call(park.number)
            try await waiting.answered()
            #expect(await waiting.hearsSomething(), "music")
            let fetching = try await phones[1].call(fetch.number)
            try await fetching.answered()
            #expect(await fetching.hears(440, within: .seconds(6)), "the call that was parked")
            try await fetching.setTone(620)
            #expect(await waiting.hears(620, within: .seconds(6)), "who has fetched it")
            try await Task.sleep(for: .milliseconds(500))
            await waiting.forgetWhatWasHeard()
            try await Task.sleep(for: .seconds(1))
            #expect(await waiting.hears(620))
            try await fetching.hangup()
            #expect(await waiting.hears(1200, within: .seconds(6)), "its flow goes on")
            #expect(try await waiting.ended(within: .seconds(8)) == .hungUpThere)
        }
    }

    @Test("The time is up: the flow goes on where it says, and the slot is free again")
    func timeout() async throws {
        let lot = "lot\(UInt32.random(in: .min ... .max))"
        let park = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "park", "type": "park", "option": ["lot": .string(lot), "slot": "5", "timeout": 1500, "timeout_target_id": "late", "failed_target_id": "bye"]],
            ["id": "bye", "type": "hangup"], ["id": "late", "type": "play_tone", "option": ["frequency": 1200, "duration": 2000], "next_id": "bye"],
        ])
        try await withPhones(1, in: suite) { phones in
            for _ in 0..<2 {
                let call = try await phones[0].call(park.number)
                try await call.answered()
                #expect(await call.hears(1200, within: .seconds(8)))
                #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
            }
        }
    }
}
