import Deadlines
import Flow
import Phone
import Suite
import Testing

@Suite("Voicemail: left, told of, listened to, deleted", .timeLimit(.minutes(3)))
struct VoicemailTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func messages(_ mailbox: String) async throws -> [JSONValue] {
        try await suite.request("GET", "/v1/voicemails?mailbox=\(mailbox)").body["data"]?.array ?? []
    }

    @Test("One ends with a key, one by hanging up; the owner hears the tones that were left, saves one and deletes one")
    func leftAndHeard() async throws {
        let mailbox = "box\(UInt32.random(in: .min ... .max))"
        let leave = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "vm", "type": "voicemail", "option": ["mailbox": .string(mailbox), "greeting_text": "", "end_of_key": "#"]],
            ["id": "thanks", "type": "play_tone", "option": ["frequency": 1200, "duration": 2000]], ["type": "hangup"],
        ])
        let check = try await suite.makeNumber(running: [
            ["type": "answer"],
            ["id": "check", "type": "voicemail_check", "option": ["mailbox": .string(mailbox), "pin": "4711"]], ["id": "bye", "type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            // The first leaves a tone of 440, and ends it with a key.
            var call = try await phones[0].call(leave.number)
            try await call.answered()
            #expect(await call.hears(1000), "the tone after which to speak")
            try await Task.sleep(for: .seconds(4))
            try await call.send(digits: "#")
            #expect(await call.hears(1200, within: .seconds(5)), "the flow goes on")
            _ = try await call.ended(within: .seconds(8))
            // The second leaves a tone of 620, and hangs up.
            call = try await phones[0].call(leave.number)
            try await call.answered()
            try await call.setTone(620)
            #expect(await call.hears(1000))
            try await Task.sleep(for: .seconds(4))
            try await call.hangup()
        }
        var left: [JSONValue] = []
        try await suite.eventually("both are in the mailbox") {
            left = try await messages(mailbox)
            return left.count == 2
        }
        #expect(left.allSatisfy { $0["status"] == "new" && ($0["duration_ms"]?.integer ?? 0) > 2500 })
        for message in left {
            let id = try #require(message["id"]?.string)
            try await suite.eventually("voicemail.created of \(id)") {
                let events = try await suite.request("GET", "/v1/events?resource_id=\(id)").body["data"]?.array ?? []
                return events.map { $0["type"]?.string } == ["voicemail.created"]
            }
            let recording = try await suite.recording(try #require(message["recording_id"]?.string))
            #expect(recording["status"] == "stored")
        }
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(check.number)
            try await call.answered()
            try await call.setTone(nil)
            try await Task.sleep(for: .seconds(1))
            try await call.send(digits: "4711")
            #expect(await call.hears(440, within: .seconds(15)), "the first that was left")
            try await call.send(digits: "2")
            #expect(await call.hears(620, within: .seconds(15)), "the second")
            try await call.send(digits: "3")
            #expect(try await call.ended(within: .seconds(15)) == .hungUpThere)
        }
        let rest = try await messages(mailbox)
        #expect(rest.count == 1 && rest.first?["status"] == "read" && rest.first?["read_at"] != .null)
        let id = try #require(rest.first?["id"]?.string)
        #expect(try await suite.request("PATCH", "/v1/voicemails/\(id)", ["status": "new"]).body["status"] == "new")
        #expect(try await suite.request("PATCH", "/v1/voicemails/\(id)", ["status": "lost"]).status == 422)
        #expect(try await suite.request("DELETE", "/v1/voicemails/\(id)").status == 204)
        #expect(try await suite.request("GET", "/v1/voicemails/\(id)").status == 404)
        let recording = try #require(rest.first?["recording_id"]?.string)
        #expect(try await suite.request("GET", "/v1/recordings/\(recording)").status == 404, "its sound is gone as well")
    }
}
