import Flow
import Phone
import Suite
import Testing

@Suite("Mailboxes as a resource", .timeLimit(.minutes(2)))
struct MailboxTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("Laid down, read without its PIN, changed and deleted over the API; its greeting is heard, and its PIN opens it")
    func resource() async throws {
        let name = "box\(UInt32.random(in: .min ... .max))"
        let box = try await suite.create("mailboxes", ["name": .string(name), "pin": "4711", "greeting_urls": ["chime.wav"], "max_messages": 5])
        let id = try #require(box["id"]?.string)
        #expect(id.hasPrefix("mbox_") && box["has_pin"] == true && box["pin"] == nil && box["max_messages"] == 5)
        #expect(try await suite.request("POST", "/v1/mailboxes", ["name": .string(name)]).status == 409)
        #expect(try await suite.request("POST", "/v1/mailboxes", ["name": "a", "pin": "12"]).status == 422)
        let listed = try await suite.request("GET", "/v1/mailboxes?name=\(name)").body["data"]?.array ?? []
        #expect(listed.map { $0["id"]?.string } == [id])
        let leave = try await suite.makeNumber(running: [["type": "answer"], ["id": "vm", "type": "voicemail", "option": ["mailbox": .string(name)]]])
        let check = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "check", "type": "voicemail_check", "option": ["mailbox": .string(name), "attempts": 2]],
            ["id": "in", "type": "condition", "option": ["expression": "results.check.result == 'completed'", "false_target_id": "out"]],
            ["id": "tone", "type": "play_tone", "option": ["frequency": 1_200, "duration": 2_000], "next_id": "bye"],
            ["id": "out", "type": "play_tone", "option": ["frequency": 1_800, "duration": 2_000]], ["id": "bye", "type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            let left = try await phones[0].call(leave.number)
            try await left.answered()
            #expect(await left.hears(800), "the greeting of the mailbox")
            try await left.hangup()
            for (keys, tone) in [(["1111#", "4711#"], 1_200.0), (["1111#", "2222#"], 1_800)] {
                let call = try await phones[0].call(check.number)
                try await call.answered()
                try await call.setTone(nil)
                for key in keys {
                    #expect(await call.hearsSomething(), "it asks")
                    try await call.send(digits: key)
                    await call.forgetWhatWasHeard()
                }
                #expect(await call.hears(tone, within: .seconds(12)))
                #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
            }
            try await tellsNoPIN(["1111", "4711", "2222"], of: phones[0].number)
            let changed = try await suite.request("PATCH", "/v1/mailboxes/\(id)", ["pin": nil, "max_messages": nil, "greeting_text": "Hello"]).body
            #expect(changed["has_pin"] == false && changed["max_messages"] == .null && changed["greeting_text"] == "Hello")
            let open = try await phones[0].call(check.number)
            try await open.answered()
            #expect(await open.hears(1_200, within: .seconds(12)), "nobody is asked any more")
            #expect(try await open.ended(within: .seconds(8)) == .hungUpThere)
        }
        #expect(try await suite.request("DELETE", "/v1/mailboxes/\(id)").status == 204)
        #expect(try await suite.request("GET", "/v1/mailboxes/\(id)").status == 404)
        try await suite.eventually("events tell of it") {
            let events = try await suite.request("GET", "/v1/events?resource_id=\(id)").body["data"]?.array ?? []
            return events.compactMap { $0["type"]?.string }.sorted() == ["mailbox.created", "mailbox.deleted", "mailbox.updated"]
        }
    }

    /// Neither events of the calls and their runs nor timelines.
    private func tellsNoPIN(_ pins: [String], of number: String) async throws {
        let calls = try await suite.request("GET", "/v1/calls?from=\(number)").body["data"]?.array ?? []
        #expect(calls.count >= 3)
        for call in calls {
            let id = call["id"]?.string ?? ""
            let runs = try await suite.request("GET", "/v1/runs?reference_id=\(id)").body["data"]?.array ?? []
            var told = try await suite.request("GET", "/v1/calls/\(id)/timeline").body["data"]?.array ?? []
            for resource in runs.compactMap({ $0["id"]?.string }) + [id] {
                told += try await suite.request("GET", "/v1/events?limit=200&resource_id=\(resource)").body["data"]?.array ?? []
            }
            let pressed = told.filter { $0["type"] == "call.digits" }.compactMap { $0["data"]?["digit"]?.string }
            #expect(pressed.allSatisfy { $0 == "?" }, "\(pressed)")
            for event in told where event["type"]?.string?.hasPrefix("run.") == true {
                for pin in pins { #expect(!(event["data"]?["outcome"]?.jsonText.contains(pin) ?? false), "\(event.jsonText)") }
            }
        }
    }
}
