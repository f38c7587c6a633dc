import Flow
import Phone
import Suite
import Testing

@Suite("A flow makes calls, and brings calls together", .timeLimit(.minutes(2)))
struct FlowCallOutTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("call: other phones ring and hear a flow of their own, the caller goes on at once; chained, they end with the caller's call, else not")
    func calls() async throws {
        try await withPhones(3, in: suite) { phones in
            let sounds: JSONValue = [["id": "tone", "type": "play_tone", "option": ["frequency": 1_200, "duration": 1_500]], ["id": "echo", "type": "echo", "option": ["duration": 60_000]]]
            func out(_ id: String, to phone: PhoneLine, chained: Bool) -> JSONValue {
                ["id": .string(id), "type": "call", "option": [
                    "destinations": [["type": "extension", "target": .string(phone.number)]], "actions": sounds, "chained": .bool(chained)]]
            }
            let number = try await suite.makeNumber(running: [
                ["type": "answer"], out("one", to: phones[1], chained: true), out("two", to: phones[2], chained: false),
                ["id": "beep", "type": "play_tone", "option": ["frequency": 800, "duration": 1_500]], ["id": "stay", "type": "sleep", "option": ["duration": 60_000]],
            ])
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hears(800))
            let (one, two) = (try await phones[1].incomingCall(), try await phones[2].incomingCall())
            #expect(await one.hears(1_200))
            #expect(await two.hears(1_200))
            let run = "run_" + (try await suite.callID(from: phones[0].number)).dropFirst("call_".count)
            var ids: [String] = []
            try await suite.eventually("the log says what the two calls are") {
                let started = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(run)").body["data"]?.array ?? []
                ids = started.compactMap { $0["data"]?["outcome"]?["data"]?["call_ids"]?.array?.first?.string }
                return ids.count == 2
            }
            for id in ids { #expect(try await suite.request("GET", "/v1/calls/\(id)").body["from"]?.string == phones[0].number) }
            #expect(await two.hears(1_010, within: .seconds(5)), "its own echo")
            try await call.hangup()
            #expect(try await one.ended(within: .seconds(5)) == .hungUpThere)
            await two.forgetWhatWasHeard()
            #expect(await two.hears(1_010), "it hangs on nothing")
            try await two.hangup()
        }
    }

    @Test("early_execution: its flow begins while it rings, who calls is not named; chained, it rings no longer when the caller has gone")
    func early() async throws {
        let application = try await FlowApplication(suite)
        defer { application.stop() }
        try await withPhones(2, in: suite) { phones in
            await phones[1].setIncoming(.ring)
            func number(_ path: String) async throws -> RunningSuite.Account {
                let actions: JSONValue = [
                    ["id": "told", "type": "webhook_send", "option": ["uri": .string("\(application.address)/\(path)"), "data": "${call.status}"]],
                    ["id": "tone", "type": "play_tone", "option": ["frequency": 1_200, "duration": 60_000]],
                ]
                return try await suite.makeNumber(running: [
                    ["type": "answer"],
                    ["id": "out", "type": "call", "option": [
                        "destinations": [["type": "extension", "target": .string(phones[1].number)]], "actions": actions, "early_execution": true, "chained": true,
                        "anonymous": "yes"]],
                    ["id": "stay", "type": "sleep", "option": ["duration": 60_000]],
                ])
            }
            let call = try await phones[0].call(try await number("ringing").number)
            try await call.answered()
            let rings = try await phones[1].incomingCall()
            #expect(rings.peer == "anonymous")
            try await suite.eventually("its flow has begun") { try await application.seen()["/ringing"] == 1 }
            try await rings.answer()
            #expect(await rings.hears(1_200), "what needs sound waited for the answer")
            try await call.hangup()
            #expect(try await rings.ended(within: .seconds(5)) == .hungUpThere)
            let again = try await phones[0].call(try await number("again").number)
            try await again.answered()
            let given = try await phones[1].incomingCall()
            try await again.hangup()
            #expect(try await given.ended(within: .seconds(5)) == .cancelled)
        }
    }

    @Test("confbridge_join: calls of one customer meet in the room of that word; the flow goes on for whom the room is not")
    func meets() async throws {
        let word = "office\(UInt32.random(in: .min ... .max))"
        let number = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "room", "type": "confbridge_join", "option": ["confbridge_id": .string(word)]],
        ])
        let missing = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "room", "type": "confbridge_join", "option": ["confbridge_id": "room_01HZZZZZZZZZZZZZZZZZZZZZZZ"]],
            ["id": "check", "type": "condition", "option": ["expression": "results.room.code == 'not_found'", "false_target_id": "bye"]],
            ["id": "tone", "type": "play_tone", "option": ["frequency": 1_200, "duration": 1_500]], ["id": "bye", "type": "hangup"],
        ])
        try await withPhones(3, in: suite) { phones in
            let first = try await phones[0].call(number.number)
            try await first.answered()
            let second = try await phones[1].call(number.number)
            try await second.answered()
            #expect(await first.hears(620, within: .seconds(6)))
            #expect(await second.hears(440, within: .seconds(6)))
            try await second.hangup()
            try await first.hangup()
            // A room that is there is entered by its id.
            let alone = try await phones[2].call(try await suite.makeNumber(running: [["type": "answer"], ["type": "sleep", "option": ["duration": 60_000]]]).number)
            try await alone.answered()
            var room = ""
            try await suite.eventually("its room is known") {
                room = try await suite.request("GET", "/v1/calls/\(try await suite.callID(from: phones[2].number))").body["room_id"]?.string ?? ""
                return room.hasPrefix("room_")
            }
            let byID = try await suite.makeNumber(running: [["type": "answer"], ["type": "confbridge_join", "option": ["confbridge_id": .string(room)]]])
            let third = try await phones[0].call(byID.number)
            try await third.answered()
            #expect(await third.hears(1_010, within: .seconds(6)))
            #expect(await alone.hears(440, within: .seconds(6)))
            try await third.hangup()
            try await alone.hangup()
            let none = try await phones[2].call(missing.number)
            try await none.answered()
            #expect(await none.hears(1_200, within: .seconds(6)), "there is no such room")
            #expect(try await none.ended(within: .seconds(8)) == .hungUpThere)
        }
    }
}
