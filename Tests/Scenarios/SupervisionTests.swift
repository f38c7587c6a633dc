import Flow
import Phone
import Suite
import Testing

@Suite("Supervisors, whispers and gain, heard by phones", .timeLimit(.minutes(3)))
struct SupervisionTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// The id of the call of that phone, which goes on.
    private func call(from number: String) async throws -> String {
        var found: String?
        try await suite.eventually("the call of \(number)") {
            let list = try await suite.request("GET", "/v1/calls?status=in_progress&direction=inbound&from=\(number)").body["data"]?.array ?? []
            found = list.first?["id"]?.string
            return found != nil
        }
        return try #require(found)
    }

    private func comes(_ limit: Duration = .seconds(8), _ isTrue: () async throws -> Bool) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await isTrue() { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private func hears(_ call: PhoneCall, _ tones: Set<Int>) async throws -> Bool {
        try await comes {
            for tone in [440, 620, 1_010, 1_370] where await call.heard(frequency: Double(tone)) != tones.contains(tone) { return false }
            return true
        }
    }

    @Test("a call is listened to, whispered into and barged into; when it ends, the supervisor's own flow goes on")
    func supervision() async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "in", "type": "answer"], ["id": "wait", "type": "sleep", "option": ["duration": 2_000]],
            ["id": "echo", "type": "echo", "option": ["duration": 30_000]],
        ])
        try await withPhones(3, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(try await hears(caller, [620]))
            let supervisor = try await phones[2].call(number.number)
            try await supervisor.answered()
            let (supervised, own) = (try await call(from: phones[0].number), try await call(from: phones[2].number))
            let path = "/v1/calls/\(supervised)/actions/supervise"

            // Before the flow's next action, which therefore waits.
            let listening = try await suite.request("POST", path, ["call_id": .string(own), "mode": "listen"])
            #expect(listening.status == 200, "\(listening.body.jsonText)")
            #expect(listening.body["participant_id"]?.string?.hasPrefix("part_") == true)
            #expect(try await hears(supervisor, [440, 620]))
            try await Task.sleep(for: .seconds(3))
            #expect(try await hears(supervisor, [440, 620]), "its flow waits")
            #expect(try await hears(caller, [620]))
            #expect(try await hears(callee, [440]))

            let whisper = try await suite.request("POST", path, ["call_id": .string(own), "mode": "whisper"])
            #expect(whisper.status == 200)
            #expect(try await hears(caller, [620, 1_010]))
            #expect(try await hears(callee, [440]))
            let child = try #require(
                try await suite.request("GET", "/v1/calls?status=in_progress&to=\(phones[1].number)").body["data"]?.array?
                    .first { $0["parent_call_id"]?.string == supervised }?["id"]?.string)
            let other = try await suite.request(
                "POST", path, ["call_id": .string(own), "mode": "whisper", "whisper_to": .string(child)])
            #expect(other.status == 200, "\(other.body.jsonText)")
            #expect(try await hears(caller, [620]))
            #expect(try await hears(callee, [440, 1_010]))

            #expect(try await suite.request("POST", path, ["call_id": .string(own), "mode": "barge"]).status == 200)
            #expect(try await hears(caller, [620, 1_010]))
            #expect(try await hears(callee, [440, 1_010]))
            #expect(try await hears(supervisor, [440, 620]))

            try await caller.hangup()
            try await callee.ended()
            #expect(try await hears(supervisor, [1_010]), "the echo of its own flow")
            try await supervisor.hangup()
        }
    }

    @Test("what cannot be supervised is refused: another customer's, one's own, what is over, by who is talking")
    func refused() async throws {
        try await withPhones(3, in: suite) { phones in
            let (caller, _) = try await connect(phones[0], phones[1])
            let talking = try await call(from: phones[0].number)
            let number = try await suite.makeNumber(running: [["id": "in", "type": "echo", "option": ["duration": 60_000]]])
            let alone = try await phones[2].call(number.number)
            try await alone.answered()
            let own = try await call(from: phones[2].number)
            func supervise(_ id: String, _ by: String, _ mode: String = "listen", key: String? = nil) async throws -> RunningSuite.Answer {
                try await suite.request(
                    "POST", "/v1/calls/\(id)/actions/supervise", ["call_id": .string(by), "mode": .string(mode)], key: key)
            }
            #expect(try await supervise(own, own).status == 422)
            #expect(try await supervise("call_01ARZ3NDEKTSV4RRFFQ69G5FAV", own).status == 404)
            let unknown = try await supervise(talking, "call_01ARZ3NDEKTSV4RRFFQ69G5FAV")
            #expect(unknown.status == 422 && unknown.body["errors"]?.array?.first?["pointer"]?.string == "/call_id")
            #expect(try await supervise(own, talking).status == 409, "who talks with somebody does not supervise")
            #expect(try await supervise(talking, own, "none").status == 409, "it does not supervise")
            #expect(try await supervise(talking, own, "shout").status == 422)

            #expect(try await supervise(talking, own).status == 200)
            #expect(try await hears(alone, [440, 620]))
            #expect(try await supervise(talking, own, "none").status == 200)
            #expect(try await hears(alone, [1_010]), "its echo goes on")
            try await caller.hangup()
            try await suite.eventually("the call is over") {
                try await suite.request("GET", "/v1/calls/\(talking)").body["status"]?.string == "completed"
            }
            #expect(try await supervise(talking, own).status == 409)
            try await alone.hangup()
        }
    }

    @Test("in a conference one whispers to another, hears a few only, and is made louder or softer")
    func conference() async throws {
        let number = "87\(Int.random(in: 100_000...999_999))"
        let created = try await suite.create("conferences", ["name": "Directions", "number": .string(number)])
        let path = "/v1/conferences/\(created["id"]?.string ?? "")/participants"
        try await withPhones(3, in: suite) { phones in
            var calls: [PhoneCall] = []
            for phone in phones {
                let call = try await phone.call(number)
                try await call.answered()
                calls.append(call)
                #expect(
                    try await comes { try await suite.request("GET", path).body["data"]?.array?.count == calls.count })
            }
            let ids = try #require(try await suite.request("GET", path).body["data"]?.array?.compactMap { $0["id"]?.string })
            #expect(try await hears(calls[0], [620, 1_010]))
            let whisper = try await suite.request("PATCH", "\(path)/\(ids[2])", ["whisper_to": .string(ids[0])])
            #expect(whisper.body["whisper_to"]?.string == ids[0])
            #expect(try await hears(calls[1], [440]))
            #expect(try await hears(calls[0], [620, 1_010]))
            let ended = try await suite.request("PATCH", "\(path)/\(ids[2])", ["whisper_to": nil])
            #expect(ended.status == 200 && ended.body["whisper_to"]?.string == nil)
            #expect(try await hears(calls[1], [440, 1_010]))

            let circle = try await suite.request("PATCH", "\(path)/\(ids[1])", ["hears": [.string(ids[0])]])
            #expect(circle.body["hears"]?.array?.compactMap(\.string) == [ids[0]])
            #expect(try await hears(calls[1], [440]))
            #expect(try await suite.request("PATCH", "\(path)/\(ids[1])", ["hears": nil]).status == 200)
            #expect(try await hears(calls[1], [440, 1_010]))

            // What is measured is the last half second, and that was not all of it the same yet.
            try await Task.sleep(for: .seconds(1))
            let before = await calls[1].level(of: 440)
            let softer = try await suite.request("PATCH", "\(path)/\(ids[0])", ["gain_in": -10])
            #expect(softer.body["gain_in"]?.double == -10)
            #expect(try await comes { abs(await calls[1].level(of: 440) - (before - 10)) < 1.5 })
            for wrong: JSONValue in [["gain_in": 30], ["whisper_to": "part_nobody"], ["hears": [.string(ids[0])]]] {
                #expect(try await suite.request("PATCH", "\(path)/\(ids[0])", wrong).status == 422, "\(wrong.jsonText)")
            }
            for call in calls { try await call.hangup() }
        }
    }
}
