import Flow
import Phone
import Suite
import Testing

@Suite("A flow collects what it needs of its caller", .timeLimit(.minutes(2)))
struct FlowCollectTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("A date that is none is asked for again; number and date have their types where the flow decides by them")
    func collects() async throws {
        let number = try await suite.makeNumber(running: [
            ["type": "answer"],
            ["id": "day", "type": "collect", "option": ["prompt": "Which day?", "invalid_text": "There is no such day.", "variable": "day", "kind": "date", "retries": 1]],
            ["id": "many", "type": "collect", "option": ["prompt": "How many?", "variable": "many", "kind": "number", "min": 1, "max": 9]],
            ["id": "check", "type": "condition", "option": ["expression": "day == '2026-02-28' and many + 1 == 4 and results.day.attempts == 2", "false_target_id": "bye"]],
            ["id": "tone", "type": "play_tone", "option": ["frequency": 1_200, "duration": 2_000]], ["id": "bye", "type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hearsSomething(), "the question")
            try await call.send(digits: "20260230")
            try await call.send(digits: "20260228")
            try await call.send(digits: "3#")
            #expect(await call.hears(1_200, within: .seconds(8)))
            #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
        }
    }
}
