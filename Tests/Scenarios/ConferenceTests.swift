import Deadlines
import Flow
import Phone
import Suite
import Testing

@Suite("Conferences: PINs, moderators, rights", .timeLimit(.minutes(3)))
struct ConferenceTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// A conference under a number of its own.
    private func make(_ fields: [String: JSONValue]) async throws -> (id: String, number: String) {
        let number = "88\(Int.random(in: 100_000...999_999))"
        let body = fields.merging(["name": "Board", "number": .string(number)]) { given, _ in given }
        let created = try await suite.create("conferences", .object(body))
        return (try #require(created["id"]?.string), number)
    }

    private func participants(_ id: String) async throws -> [JSONValue] {
        try await suite.request("GET", "/v1/conferences/\(id)/participants").body["data"]?.array ?? []
    }

    private func comes(_ limit: Duration = .seconds(8), _ isTrue: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await isTrue() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private func events(_ id: String) async throws -> [JSONValue] {
        try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
    }

    private func isTold(_ type: String, _ id: String, _ holds: (JSONValue) -> Bool = { _ in true }) async throws -> Bool {
        try await comes { try await events(id).contains { $0["type"]?.string == type && $0["data"].map(holds) == true } }
    }

    private func join(_ phone: PhoneLine, _ conference: (id: String, number: String), _ keys: String = "") async throws -> PhoneCall {
        let call = try await phone.call(conference.number)
        try await call.answered()
        if !keys.isEmpty {
            #expect(await call.hears(560, within: .seconds(5)), "the tone that asks for the PIN")
            try await call.send(digits: keys)
        }
        return call
    }

    @Test("settings are kept, changed and checked; a PIN is read back and removed by null")
    func settings() async throws {
        let conference = try await make([
            "pin": "1234", "moderator_pin": "9999", "wait_for_moderator": true, "entry_tone": true, "max_participants": 5000,
        ])
        let path = "/v1/conferences/\(conference.id)"
        let read = try await suite.request("GET", path).body
        #expect(read["pin"]?.string == "1234")
        #expect(read["moderator_pin"]?.string == "9999")
        #expect(read["wait_for_moderator"]?.bool == true)
        #expect(read["entry_tone"]?.bool == true)
        #expect(read["locked"]?.bool == false)
        #expect(read["digit_controls"]?.bool == true)
        let changed = try await suite.request("PATCH", path, ["pin": nil, "locked": true, "end_when_moderator_leaves": true]).body
        #expect(changed["pin"]?.string == nil)
        #expect(changed["moderator_pin"]?.string == "9999")
        #expect(changed["locked"]?.bool == true && changed["end_when_moderator_leaves"]?.bool == true)
        let same = try await suite.request("PATCH", path, ["pin": "9999"])
        #expect(same.status == 422)
        #expect(same.body["errors"]?.array?.first?["pointer"]?.string == "/moderator_pin")
        let tooLarge = try await suite.request("PATCH", path, ["max_participants": 5001])
        #expect(tooLarge.status == 422)
    }

    @Test("with the PIN one is heard, and not before; a third wrong one leads on with the flow, which can tell why")
    func pins() async throws {
        let conference = try await make(["pin": "1234"])
        try await withPhones(3, in: suite) { phones in
            let first = try await join(phones[0], conference, "1234")
            #expect(try await comes { try await participants(conference.id).count == 1 })
            let second = try await phones[1].call(conference.number)
            try await second.answered()
            try await Task.sleep(for: .seconds(1))
            #expect(await !first.heard(frequency: 620), "no PIN yet")
            #expect(await !second.heard(frequency: 440))
            try await second.send(digits: "1234#")
            #expect(await first.hears(620))
            #expect(await second.hears(440))
            #expect(await first.report.sound.digits.isEmpty, "nobody hears another's PIN")

            let number = try await suite.makeNumber(running: [
                ["id": "in", "type": "answer"],
                ["id": "room", "type": "conference_join", "option": ["conference_id": .string(conference.id)]],
                [
                    "id": "why", "type": "branch",
                    "option": ["variable": "voipbin.action.code", "target_ids": ["pin": "echo"], "default_target_id": "end"],
                ],
                ["id": "echo", "type": "echo", "option": ["duration": 10_000]],
                ["id": "end", "type": "hangup", "option": [:]],
            ])
            let third = try await phones[2].call(number.number)
            try await third.answered()
            #expect(await third.hears(560, within: .seconds(5)))
            try await third.send(digits: "1#2#3#")
            #expect(await third.hears(1_010, within: .seconds(5)), "the flow goes on where the PIN was wrong")
            #expect(try await participants(conference.id).count == 2)
            for call in [first, second, third] { try await call.hangup() }
        }
        #expect(try await isTold("conference.ended", conference.id))
        let types = try await events(conference.id).compactMap { $0["type"]?.string }
        #expect(types.filter { $0 == "conference.started" }.count == 1)
        #expect(types.filter { $0 == "participant.joined" }.count == 2)
        #expect(types.filter { $0 == "participant.left" }.count == 2)
    }

    @Test("members wait for the moderator and hear nobody, then all hear each other; when it leaves, the conference ends")
    func moderator() async throws {
        let conference = try await make([
            "pin": "12", "moderator_pin": "99", "wait_for_moderator": true, "end_when_moderator_leaves": true,
        ])
        try await withPhones(3, in: suite) { phones in
            let one = try await join(phones[0], conference, "12")
            let two = try await join(phones[1], conference, "12")
            #expect(try await comes { try await participants(conference.id).filter { $0["waiting"]?.bool == true }.count == 2 })
            for call in [one, two] { try await suite.eventually("the sentence is over") { await call.report.sound.level < -60 } }
            try await Task.sleep(for: .milliseconds(500))
            #expect(await !one.heard(frequency: 620))
            #expect(await !two.heard(frequency: 440))
            let leader = try await join(phones[2], conference, "99")
            #expect(await one.hears(620))
            #expect(await one.hears(1_010))
            #expect(await leader.hears(440))
            #expect(try await participants(conference.id).last?["role"]?.string == "moderator")
            try await leader.hangup()
            // The grace of the standard settings, and the end of the number's flow.
            #expect(try await one.ended(within: .seconds(25)) == .hungUpThere)
            #expect(try await two.ended(within: .seconds(5)) == .hungUpThere)
        }
    }

    @Test("mute all, own mute, raised hand, lock and kick, by keys and over the API, heard and told")
    func rights() async throws {
        let conference = try await make(["moderator_pin": "99"])
        try await withPhones(4, in: suite) { phones in
            let leader = try await join(phones[0], conference, "99")
            let one = try await join(phones[1], conference, "#")
            let two = try await join(phones[2], conference, "#")
            #expect(await leader.hears(620))
            #expect(await leader.hears(1_010))
            #expect(try await isTold("participant.talking", conference.id) { $0["talking"]?.bool == true })

            try await leader.send(digits: "*5")
            #expect(try await comes { await !leader.heard(frequency: 620) })
            #expect(try await comes { await !leader.heard(frequency: 1_010) })
            #expect(await one.hears(440), "moderators are heard")
            try await one.send(digits: "*6")
            try await one.send(digits: "*9")
            #expect(try await isTold("participant.hand_raised", conference.id) { $0["hand_raised"]?.bool == true })
            #expect(await !leader.heard(frequency: 620), "what the moderator muted stays muted")

            let list = try await participants(conference.id)
            #expect(list.map { $0["muted"]?.bool } == [false, true, true])
            #expect(list.map { $0["hand_raised"]?.bool } == [false, true, false])
            let path = "/v1/conferences/\(conference.id)/participants/"
            let page = try await suite.request("GET", "/v1/conferences/\(conference.id)/participants?limit=2").body
            let cursor = try #require(page["next_cursor"]?.string)
            let rest = try await suite.request("GET", "/v1/conferences/\(conference.id)/participants?limit=2&cursor=\(cursor)").body
            let paged = (page["data"]?.array ?? []) + (rest["data"]?.array ?? [])
            #expect(paged.map { $0["id"]?.string } == list.map { $0["id"]?.string } && rest["next_cursor"] == .null)
            let leaders = try await suite.request("GET", "/v1/conferences/\(conference.id)/participants?role=moderator").body
            #expect(leaders["data"]?.array?.map { $0["id"] } == [list[0]["id"]])
            let raised = try #require(list[1]["id"]?.string)
            let patched = try await suite.request("PATCH", path + raised, ["muted": false, "hand_raised": false]).body
            #expect(patched["muted"]?.bool == false && patched["hand_raised"]?.bool == false)
            #expect(await leader.hears(620))
            #expect(await !leader.heard(frequency: 1_010))

            #expect(try await suite.request("POST", "/v1/conferences/\(conference.id)/actions/unmute", [:]).status == 204)
            #expect(await leader.hears(1_010))
            #expect(try await suite.request("POST", "/v1/conferences/\(conference.id)/actions/lock", [:]).status == 204)
            let late = try await phones[3].call(conference.number)
            try await late.answered()
            #expect(try await late.ended() == .hungUpThere, "locked: its flow has nothing more to do")

            let kicked = try #require(try await participants(conference.id).last?["id"]?.string)
            #expect(try await suite.request("DELETE", path + kicked).status == 204)
            #expect(try await two.ended() == .hungUpThere)
            #expect(try await comes { await !leader.heard(frequency: 1_010) })
            #expect(try await suite.request("POST", "/v1/conferences/\(conference.id)/actions/end", [:]).status == 204)
            #expect(try await leader.ended() == .hungUpThere)
            #expect(try await one.ended() == .hungUpThere)
        }
        #expect(try await suite.request("POST", "/v1/conferences/\(conference.id)/actions/mute", [:]).status == 404)
    }
}
