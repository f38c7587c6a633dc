import Audio
import Deadlines
import Flow
import Phone
import Speech
import Suite
import Testing

@Suite("gather, dial and tones on real calls", .serialized, .timeLimit(.minutes(3)))
struct FlowGatherTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("gather: keys end the prompt and choose; silence is asked again, then goes its own way")
    func digits() async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "menu", "type": "gather", "option": [
                "text": "Press one, or two, and take all the time you want to listen to this very long question", "timeout": 500, "attempts": 2,
                "no_input_text": "Hello?", "choices": [["digits": "1", "target_id": "one"], ["digits": "2", "target_id": "two"]], "no_input_target_id": "nobody",
            ]],
            ["id": "one", "type": "hangup", "option": ["reason": "busy"]],
            ["id": "two", "type": "echo", "option": ["duration": 1500], "next_id": "bye"],
            ["id": "nobody", "type": "play_tone", "option": ["frequency": 800, "duration": 1500]],
            ["id": "bye", "type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            try await call.setTone(nil)
            #expect(await call.hearsSomething(within: .seconds(8)), "it asks")
            try await call.send(digits: "2")
            try await call.setTone(440)
            #expect(await call.hears(440), "two echoes, while the question would still go on")
            #expect(try await call.ended(within: .seconds(6)) == .hungUpThere)
            let silent = try await phones[0].call(number.number)
            try await silent.answered()
            try await silent.setTone(nil)
            #expect(await silent.hears(800, within: .seconds(30)), "who presses nothing is asked twice and goes elsewhere")
            try await silent.hangup()
        }
    }

    @Test("gather: a phrase of a choice is understood, and goes its way")
    func speech() async throws {
        let words = try await Synthesiser.shared.synthesise(text: "I want to talk about billing", rate: 140)
        let number = try await suite.makeNumber(running: [
            ["id": "menu", "type": "gather", "option": [
                "input": ["speech"], "speech_provider": "sphinx", "speech_language": "en-US", "timeout": 15_000,
                "choices": [
                    ["phrases": ["please connect me with sales"]], ["phrases": ["i want to talk about billing"], "target_id": "billing"],
                    ["phrases": ["what time do you open"]],
                ],
            ]],
            ["id": "wrong", "type": "hangup"],
            ["id": "billing", "type": "play_tone", "option": ["frequency": 800, "duration": 2000]],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.setTone(nil)
            try await call.answered()
            // The model is read when the first voice is listened to.
            try await call.say([Int16](repeating: 0, count: 24_000) + words + [Int16](repeating: 0, count: 9600))
            #expect(await call.hears(800, within: .seconds(15)))
            try await call.hangup()
        }
    }

    @Test("dial in order: the first does not answer in its time, the second confirms by a key and is joined; headers reach it")
    func dial() async throws {
        try await withPhones(3, in: suite) { phones in
            let number = try await suite.makeNumber(running: [
                ["id": "ring", "type": "dial", "option": [
                    "targets": [["type": "extension", "target": .string(phones[1].number), "timeout": 1500], ["type": "extension", "target": .string(phones[2].number)]],
                    "strategy": "in_order", "confirm_text": "Press one", "whisper_text": "A call", "failed_target_id": "echo", "no_answer_target_id": "echo",
                ]],
                ["id": "bye", "type": "hangup"], ["id": "echo", "type": "echo"],
            ])
            await phones[1].setIncoming(.ring)
            await phones[2].setIncoming(.answer(after: .milliseconds(100)))
            let call = try await phones[0].call(number.number)
            let first = try await phones[1].incomingCall()
            let second = try await phones[2].incomingCall()
            try await second.answered()
            #expect(try await first.ended() == .cancelled)
            #expect(await second.hearsSomething(within: .seconds(8)), "it is asked")
            #expect(await call.report.phase < .answered, "and nobody is joined yet")
            try await second.send(digits: "1")
            try await call.answered()
            #expect(await second.hears(440, within: .seconds(8)))
            #expect(await call.hears(1_010, within: .seconds(8)))
            try await second.hangup()
            #expect(try await call.ended(within: .seconds(6)) == .hungUpThere)
        }
    }

    @Test("dial: a machine confirms nothing; what is left of the flow goes on")
    func unconfirmed() async throws {
        try await withPhones(2, in: suite) { phones in
            let number = try await suite.makeNumber(running: [
                ["id": "ring", "type": "dial", "option": [
                    "targets": [["type": "extension", "target": .string(phones[1].number)]], "confirm_text": "Press one", "confirm_timeout": 1000,
                    "no_answer_target_id": "echo",
                ]],
                ["id": "wrong", "type": "hangup"], ["id": "echo", "type": "echo", "option": ["duration": 5000]],
            ])
            await phones[1].setIncoming(.answer(after: .milliseconds(100)))
            let call = try await phones[0].call(number.number)
            let other = try await phones[1].incomingCall()
            try await other.answered()
            #expect(try await other.ended(within: .seconds(10)) == .hungUpThere)
            try await call.answered()
            #expect(await call.hears(440))
            try await call.hangup()
        }
    }
}
