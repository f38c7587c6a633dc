import Contracts
import Deadlines
import Flow
import Phone
import Suite
import Testing

@Suite("A program makes a call", .timeLimit(.minutes(2)))
struct APICallTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func call(_ id: String) async throws -> JSONValue { try await suite.request("GET", "/v1/calls/\(id)").body }

    private func isTold(of type: String, _ id: String) async throws -> Bool {
        for _ in 0..<100 {
            let page = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body
            if page["data"]?.array?.contains(where: { $0["type"]?.string == type }) == true { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    private func waits(for status: String, of id: String, within limit: Duration = .seconds(8)) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await call(id)["status"]?.string == status { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test("POST /v1/calls with inline actions rings a phone and plays to it; the record tells its story")
    func originate() async throws {
        try await withPhones(1, in: suite) { phones in
            let created = try await suite.create("calls", [
                "from": "1001", "to": [.string("sip:\(phones[0].number)@\(suite.domain)")],
                "actions": [["id": "p", "type": "play", "option": ["stream_urls": ["chime.wav"]]], ["id": "e", "type": "echo"]],
            ])
            let id = try #require(created["id"]?.string)
            #expect(created["direction"]?.string == "outbound")
            let ringing = try await phones[0].incomingCall()
            #expect(await ringing.hears(800, within: .seconds(5)), "the file's tone")
            #expect(await ringing.hears(440, within: .seconds(5)), "then its own echo")
            #expect(try await waits(for: "in_progress", of: id))
            let hungUp = try await suite.request("POST", "/v1/calls/\(id)/actions/hangup", [:])
            #expect((200..<300).contains(hungUp.status))
            #expect(try await ringing.ended() == .hungUpThere)
            #expect(try await waits(for: "completed", of: id))
            let record = try await call(id)
            #expect(record["hangup_by"]?.string == "platform")
            #expect(record["answered_at"]?.string != nil && record["ended_at"]?.string != nil)
            #expect((record["media"]?["packets_in"]?.integer ?? 0) > 10)
            let again = try await suite.request("POST", "/v1/calls/\(id)/actions/hangup", [:])
            #expect(again.status == 409, "a call that is over cannot be hung up")
        }
    }

    @Test("a call that rings is hung up with a cause: its phone rings no more, and the record says which")
    func hangupCause() async throws {
        try await withPhones(1, in: suite, options: { $0.incoming = .ring }) { phones in
            let created = try await suite.create("calls", [
                "from": "1001", "to": [.string(phones[0].number)], "actions": [["id": "e", "type": "echo"]],
            ])
            let id = try #require(created["id"]?.string)
            let ringing = try await phones[0].incomingCall()
            #expect(try await waits(for: "ringing", of: id))
            let hungUp = try await suite.request("POST", "/v1/calls/\(id)/actions/hangup", ["cause": 17])
            #expect((200..<300).contains(hungUp.status))
            #expect(try await ringing.ended() == .cancelled)
            #expect(try await waits(for: "canceled", of: id))
            let record = try await call(id)
            #expect(record["hangup_cause"]?.integer == 17 && record["hangup_by"]?.string == "platform")
        }
    }

    @Test("each call's events come in order, numbered without a gap, over /v1/events and the stream")
    func events() async throws {
        try await withPhones(1, in: suite) { phones in
            let stream = try EventStream(suite, query: "types=call.*")
            let created = try await suite.create("calls", [
                "from": "1001", "to": [.string(phones[0].number)], "actions": [["id": "d", "type": "digits_receive", "option": ["length": 2]]],
            ])
            let id = try #require(created["id"]?.string)
            let ringing = try await phones[0].incomingCall()
            try await ringing.answered()
            #expect(try await waits(for: "in_progress", of: id))
            try await ringing.send(digits: "1")
            // Keys go by way of the room, the goodbye straight: it may be quicker.
            #expect(try await isTold(of: "call.digits", id))
            try await ringing.hangup()
            #expect(try await waits(for: "completed", of: id))
            let events = try await stream.events(of: id, until: "call.ended", within: .seconds(8))
            let types = events.compactMap { $0["type"]?.string }
            #expect(types == ["call.created", "call.ringing", "call.answered", "call.digits", "call.ended"])
            #expect(events.compactMap { $0["sequence"]?.integer } == Array(1...5))
            #expect(events[3]["data"]?["digit"]?.string == "1")
            let page = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body
            let listed = page["data"]?.array ?? []
            #expect(Set(listed.compactMap { $0["id"]?.string }) == Set(events.compactMap { $0["id"]?.string }))
            #expect(events[0]["data"]?["answered_at"] == .null, "as a GET of the call had it")
            let first = try #require(events[0]["id"]?.string)
            #expect(try await suite.request("GET", "/v1/events/\(first)").body == events[0])
            #expect(try await suite.request("GET", "/v1/events/evt_none").status == 404)
            await stream.close()
        }
    }

    @Test("calls are listed newest first, page by page, and another customer sees none of them")
    func listing() async throws {
        try await withPhones(1, in: suite) { phones in
            for _ in 0..<3 {
                _ = try await suite.create("calls", ["from": "1001", "to": [.string(phones[0].number)], "actions": [["id": "h", "type": "hangup"]]])
            }
            let first = try await suite.request("GET", "/v1/calls?limit=2&to=\(phones[0].number)").body
            #expect(first["data"]?.array?.count == 2)
            let cursor = try #require(first["next_cursor"]?.string)
            let second = try await suite.request("GET", "/v1/calls?limit=2&to=\(phones[0].number)&cursor=\(cursor)").body
            #expect(second["data"]?.array?.count == 1)
            #expect(second["next_cursor"] == .null)
        }
    }

    @Test("calls are found by what their records say, and by a SIP URI as by its number; an address in it means the own domain")
    func filters() async throws {
        try await withPhones(1, in: suite) { phones in
            let number = phones[0].number
            let created = try await suite.create("calls", [
                "from": .string("sip:1001@\(suite.domain)"), "to": .string("sip:\(number)@127.0.0.1:5060"),
                "actions": [["id": "s", "type": "sleep", "option": ["duration": 60_000]]],
            ])
            let id = try #require(created["id"]?.string)
            #expect(created["from"]?.string == "1001" && created["to"]?.string == number)
            let ringing = try await phones[0].incomingCall()
            try await ringing.answered()
            try await suite.eventually("its run is known") { try await call(id)["run_id"]?.string != nil }
            let record = try await call(id)
            let (room, run) = (try #require(record["room_id"]?.string), try #require(record["run_id"]?.string))
            for query in ["to=sip:\(number)@\(suite.domain)&from=sip:1001@127.0.0.1", "room_id=\(room)", "run_id=\(run)&to=\(number)"] {
                try await suite.eventually("it is found by \(query)") {
                    let found = try await suite.request("GET", "/v1/calls?\(query)").body["data"]?.array ?? []
                    return found.compactMap { $0["id"]?.string } == [id]
                }
            }
            for query in ["to=\(number)&parent_call_id=call_none", "to=\(number)&sip_call_id=none", "to=\(number)&room_id=room_none"] {
                #expect(try await suite.request("GET", "/v1/calls?\(query)").body["data"] == .array([]), "\(query)")
            }
            func runs(_ status: String) async throws -> Int? {
                try await suite.request("GET", "/v1/runs?reference_id=\(id)&status=\(status)").body["data"]?.array?.count
            }
            try await suite.eventually("the run is listed") { try await runs("running") == 1 }
            #expect(try await runs("completed") == 0)
            try await ringing.hangup()
        }
    }

    @Test("a domain of somebody else's is 422 at its place, before any phone rings")
    func foreign() async throws {
        try await withPhones(1, in: suite) { phones in
            for (to, pointer) in [
                (.array([.string(phones[0].number), "sip:1@elsewhere.example"]), "/to/1"), ("sip:1@elsewhere.example", "/to"),
            ] as [(JSONValue, String)] {
                let answer = try await suite.request("POST", "/v1/calls", ["from": "1001", "to": to, "actions": [["id": "h", "type": "hangup"]]])
                #expect(answer.status == 422, "\(answer.body.jsonText)")
                #expect(answer.body["errors"]?.array?.compactMap { $0["pointer"]?.string } == [pointer])
            }
            await #expect(throws: (any Error).self) { _ = try await phones[0].incomingCall(within: .seconds(1)) }
        }
    }

    @Test("a wrong flow is 422 with a JSON pointer to each mistake, the unknown type named")
    func invalidFlow() async throws {
        let answer = try await suite.request("POST", "/v1/flows", [
            "name": "wrong", "actions": [["id": "a", "type": "dance"], ["id": "b", "type": "talk", "option": ["txt": "x"]]],
        ])
        #expect(answer.status == 422)
        #expect(answer.headers["content-type"]?.hasPrefix("application/problem+json") == true)
        let pointers = answer.body["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? []
        #expect(pointers.contains("/actions/0/type"))
        #expect(pointers.contains { $0.hasPrefix("/actions/1/option") })
        #expect(answer.body.jsonText.contains("dance"))
    }

    @Test("an Idempotency-Key makes one call of two requests")
    func idempotency() async throws {
        try await withPhones(1, in: suite) { phones in
            let key = "test-\(UInt64.random(in: 0...UInt64.max))"
            let body: JSONValue = ["from": "1001", "to": [.string(phones[0].number)], "actions": [["id": "e", "type": "echo"]]]
            let first = try await suite.request("POST", "/v1/calls", body, headers: ["Idempotency-Key": key])
            let second = try await suite.request("POST", "/v1/calls", body, headers: ["Idempotency-Key": key])
            #expect(first.status == 201)
            #expect(first.body["id"] == second.body["id"])
            let ringing = try await phones[0].incomingCall()
            try await ringing.hangup()
            await #expect(throws: (any Error).self) { _ = try await phones[0].incomingCall(within: .seconds(1)) }
        }
    }

    @Test("call.create that comes several times at once makes one call; who comes while it is being made is told to ask again, and then of that call")
    func madeOnce() async throws {
        try await withPhones(1, in: suite) { phones in
            let account = try await suite.makeAccount()
            let customer = try #require(try await suite.request("GET", "/v1/extensions/\(account.id)").body["customer_id"]?.string)
            let id = Identifier.make("call", milliseconds: 1_700_000_000_000, random: (.random(in: .min ... .max), .random(in: .min ... .max)))
            let command = CreateCall(
                customerID: customer, callID: id, from: "1001", to: phones[0].number, flowID: nil, actions: [Action(id: "e", .echo(Echo()))])
            for outcome in try await suite.atOnce([command, command, command], of: "CallServer") {
                switch outcome {
                case .success(let call): #expect(call.id == id)
                case .failure(let error): #expect(error.code == .unavailable)
                }
            }
            for outcome in try await suite.atOnce([command], of: "CallServer") { #expect(try outcome.get().id == id) }
            let ringing = try await phones[0].incomingCall()
            try await ringing.hangup()
            await #expect(throws: (any Error).self) { _ = try await phones[0].incomingCall(within: .seconds(1)) }
        }
    }

    @Test("no key is 401, a resource of nobody is 404")
    func refusals() async throws {
        #expect(try await suite.request("GET", "/v1/calls", key: "tk_wrong").status == 401)
        #expect(try await suite.request("GET", "/v1/calls/call_01HZZZZZZZZZZZZZZZZZZZZZZZ").status == 404)
        #expect(try await suite.request("GET", "/v1/nothing").status == 404)
    }
}
