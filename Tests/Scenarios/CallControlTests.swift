import Flow
import Phone
import Suite
import Testing

@Suite("A program does things with a call that goes on", .timeLimit(.minutes(2)))
struct CallControlTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func act(_ id: String, _ verb: String, _ body: JSONValue = [:]) async throws -> RunningSuite.Answer {
        try await suite.request("POST", "/v1/calls/\(id)/actions/\(verb)", body)
    }

    private func ok(_ id: String, _ verb: String, _ body: JSONValue = [:]) async throws {
        let answer = try await act(id, verb, body)
        #expect((200..<300).contains(answer.status), "\(verb): \(answer.status) \(answer.body.jsonText)")
    }

    private func sleeping(answered: Bool = true) async throws -> String {
        let sleep: JSONValue = ["type": "sleep", "option": ["duration": 60_000]]
        return try await suite.makeNumber(running: answered ? [["type": "answer"], sleep] : [sleep]).number
    }

    @Test("it is answered, played to, pressed keys to, and tells when a sound has ended")
    func sounds() async throws {
        let number = try await sleeping(answered: false)
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number)
            try await suite.eventually("the call is known") { try await suite.callID(from: phones[0].number).isEmpty == false }
            let id = try await suite.callID(from: phones[0].number)
            #expect(try await act(id, "play", ["urls": ["chime.wav"]]).status == 409, "nobody hears it yet, or it would have been answered")
            try await ok(id, "answer")
            try await call.answered()
            #expect(try await act(id, "answer").status == 409)
            let loop = try await act(id, "play", ["urls": ["chime.wav"], "loop": true])
            let loopID = try #require(loop.body["play_id"]?.string)
            #expect(await call.hears(800))
            try await ok(id, "stop_play", ["play_id": .string(loopID)])
            try await ok(id, "digits", ["digits": "12#"])
            #expect(await call.receives(digits: "12#"))
            let once = try await act(id, "talk", ["text": "One."])
            let onceID = try #require(once.body["play_id"]?.string)
            try await suite.eventually("its end is told") {
                let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
                return events.contains { $0["type"]?.string == "call.play_finished" && $0["data"]?["play_id"]?.string == onceID }
            }
            #expect(try await act(id, "digits", ["digits": "1x"]).status == 422)
            #expect(try await act(id, "play", ["urls": []]).status == 422)
            try await call.hangup()
            try await suite.eventually("it is over") { try await act(id, "play", ["urls": ["chime.wav"]]).status == 409 }
            #expect(try await act("call_01HZZZZZZZZZZZZZZZZZZZZZZZ", "play", ["urls": ["chime.wav"]]).status == 404)
        }
    }

    @Test("a whisper is heard by one of two; muted, one is not heard; on hold, it hears music and nobody else")
    func betweenTwo() async throws {
        try await withPhones(2, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(await outgoing.hears(620))
            #expect(await incoming.hears(440))
            let id = try await suite.callID(from: phones[0].number)
            let whisper = try await act(id, "play", ["urls": ["chime.wav"], "loop": true])
            #expect(await outgoing.hears(800))
            #expect(await incoming.heard(frequency: 800) == false)
            try await ok(id, "stop_play", ["play_id": whisper.body["play_id"] ?? .null])
            let announced = try await act(id, "play", ["urls": ["chime.wav"], "loop": true, "to": "room"])
            #expect(await outgoing.hears(800))
            #expect(await incoming.hears(800))
            try await ok(id, "stop_play", ["play_id": announced.body["play_id"] ?? .null])
            try await ok(id, "mute")
            try await suite.eventually("it is not heard") { await incoming.level(of: 440) < -45 }
            #expect(await outgoing.hears(620), "and hears")
            try await ok(id, "unmute")
            #expect(await incoming.hears(440))
            try await ok(id, "hold")
            try await suite.eventually("nobody hears or is heard") {
                let levels = [await incoming.level(of: 440), await outgoing.level(of: 620)]
                return levels.allSatisfy { $0 < -45 }
            }
            #expect(await outgoing.hearsSomething(), "music")
            try await ok(id, "unhold")
            #expect(await outgoing.hears(620))
            #expect(await incoming.hears(440))
            try await outgoing.hangup()
            _ = try await incoming.ended()
        }
    }

    @Test("two who talk: one is transferred to a third, and the second is let go; then it is sent to another flow, which finds variables that were set")
    func transfer() async throws {
        try await withPhones(3, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(await outgoing.hears(620))
            let id = try await suite.callID(from: phones[0].number)
            try await ok(id, "transfer", ["to": .string("sip:\(phones[2].number)@\(suite.domain)")])
            #expect(try await incoming.ended() == .hungUpThere)
            let third = try await phones[2].incomingCall()
            #expect(await outgoing.hears(1_010))
            #expect(await third.hears(440))
            let redirected = try await act(id, "redirect", ["actions": [["id": "wait", "type": "digits_receive", "option": ["duration": 60_000, "length": 1]],
                ["id": "keys", "type": "digits_send", "option": ["digits": "${order}", "duration": 100, "interval": 50]], ["id": "echo", "type": "echo"]]])
            #expect(redirected.status == 200)
            try await suite.eventually("the record names the new run") {
                try await suite.request("GET", "/v1/calls/\(id)").body["run_id"] == redirected.body["run_id"]
            }
            #expect(try await third.ended() == .hungUpThere)
            try await suite.eventually("the new flow is there") { try await act(id, "set_variables", ["variables": ["order": "47"]]).status == 204 }
            #expect(try await act(id, "set_variables", ["variables": ["voipbin.call.id": "x"]]).status == 422)
            try await outgoing.send(digits: "1")
            #expect(await outgoing.receives(digits: "47"))
            #expect(await outgoing.hears(440), "its echo")
            #expect(try await act(id, "redirect", [:]).status == 422)
            #expect(try await act(id, "redirect", ["flow_id": "flow_none"]).status == 422)
            let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
            #expect(events.filter { $0["type"]?.string == "call.redirected" }.count == 2)
            let runs = try await suite.request("GET", "/v1/runs?reference_id=\(id)").body["data"]?.array ?? []
            #expect(runs.count == 3 && runs.filter { $0["status"]?.string == "running" }.count == 1, "\(runs.compactMap { $0["status"]?.string })")
            try await outgoing.hangup()
        }
    }

    /// The leg that rings a phone.
    private func leg(to number: String) async throws -> String {
        var found = ""
        try await suite.eventually("the leg to \(number) is recorded") {
            found = try await suite.request("GET", "/v1/calls?limit=1&direction=outbound&to=\(number)").body["data"]?.array?.first?["id"]?.string ?? ""
            return !found.isEmpty
        }
        return found
    }

    @Test("attended: one of two consults a third, whom the other does not hear; then the two are left to each other, or talk on")
    func consults() async throws {
        try await withPhones(3, in: suite) { phones in
            let (outgoing, incoming) = try await connect(phones[0], phones[1])
            #expect(await outgoing.hears(620))
            let id = try await suite.callID(from: phones[0].number)
            let agent = try await leg(to: phones[1].number)
            #expect(try await act(agent, "complete_transfer").status == 409)
            for completes in [false, true] {
                try await ok(agent, "consult", ["to": .string(phones[2].number)])
                #expect(try await act(id, "consult", ["to": .string(phones[2].number)]).status == 409, "one at a time")
                let third = try await phones[2].incomingCall()
                #expect(await third.hears(620))
                #expect(await incoming.hears(1_010))
                try await suite.eventually("who is held is not heard") { await incoming.level(of: 440) < -45 }
                try await suite.eventually("nor hears anybody") { await outgoing.level(of: 620) < -45 }
                #expect(await outgoing.hearsSomething(), "music, round \(completes)")
                try await ok(agent, completes ? "complete_transfer" : "cancel_transfer")
                if completes {
                    #expect(try await incoming.ended() == .hungUpThere)
                    #expect(await third.hears(440))
                    #expect(await outgoing.hears(1_010))
                    try await outgoing.hangup()
                    #expect(try await third.ended() == .hungUpThere)
                } else {
                    #expect(try await third.ended() == .hungUpThere)
                    #expect(await outgoing.hears(620))
                    #expect(await incoming.hears(440))
                }
            }
        }
    }

    @Test("attended with two calls of one phone; and one that was called is sent to another flow by itself")
    func joinsPartners() async throws {
        try await withPhones(3, in: suite) { phones in
            let (first, stays) = try await connect(phones[0], phones[1])
            let id = try await suite.callID(from: phones[0].number)
            let (second, third) = try await connect(phones[0], phones[2])
            #expect(try await act(id, "transfer", ["call_id": .string(id)]).status == 409)
            #expect(try await act(id, "transfer", ["call_id": .string(id), "to": "1"]).status == 422)
            var other = ""
            try await suite.eventually("the second call is recorded") {
                other = try await suite.callID(from: phones[0].number)
                return other != id
            }
            try await ok(id, "transfer", ["call_id": .string(other)])
            #expect(try await first.ended() == .hungUpThere)
            #expect(try await second.ended() == .hungUpThere)
            #expect(await stays.hears(1_010))
            #expect(await third.hears(620))
            let called = try await leg(to: phones[2].number)
            try await ok(called, "redirect", ["actions": [["id": "echo", "type": "echo"]]])
            #expect(try await stays.ended() == .hungUpThere)
            #expect(await third.hears(1_010), "its echo")
            try await third.hangup()
        }
    }

    @Test("a question beside what the flow does: its keys are told by an event, and the flow does not have them")
    func gathers() async throws {
        let number = try await sleeping()
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number)
            try await call.answered()
            let id = try await suite.callID(from: phones[0].number)
            #expect(try await act(id, "gather", ["option": ["length": "x"]]).status == 422)
            var asked: RunningSuite.Answer?
            try await suite.eventually("it is talked through") {
                asked = try await act(id, "gather", ["option": ["text": "Which one?", "length": 2]])
                return asked?.status == 200
            }
            let question = try #require(asked?.body["gather_id"])
            #expect(try await act(id, "gather", [:]).status == 409)
            #expect(await call.hearsSomething())
            try await call.send(digits: "47")
            try await suite.eventually("the answer is told") {
                let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
                return events.contains { $0["type"]?.string == "call.gathered" && $0["data"]?["gather"]?["id"] == question && $0["data"]?["gather"]?["digits"] == "47" }
            }
            try await call.hangup()
        }
    }

    /// Once nothing else is asked.
    private func asks(_ id: String, _ verb: String, _ body: JSONValue) async throws -> RunningSuite.Answer {
        for _ in 0..<100 {
            let answer = try await act(id, verb, body)
            if answer.status != 409 { return answer }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await act(id, verb, body)
    }

    @Test("what a question has come to is the answer that was held for it, and a webhook; nothing in time is an answer, too")
    func held() async throws {
        let application = try await FlowApplication(suite)
        defer { application.stop() }
        let number = try await sleeping()
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number)
            try await call.answered()
            let id = try await suite.callID(from: phones[0].number)
            #expect(try await act(id, "gather", ["webhook_url": "ftp://a"]).status == 422)
            #expect(try await act(id, "gather", ["option": ["keys": "hidden"]]).status == 422)
            #expect(try await act(id, "gather?wait=x").status == 422)
            let early = try await asks(id, "gather?wait=1", ["option": ["length": 1, "timeout": 60_000]])
            #expect(early.status == 200 && early.body["gather_id"] != nil && early.body["gather"] == nil)
            try await call.send(digits: "1")
            let body: JSONValue = ["option": ["text": "Which one?", "length": 2, "timeout": 20_000], "webhook_url": .string(application.address + "/gathered")]
            async let answer = asks(id, "gather?wait=14", body)
            #expect(await call.hearsSomething(), "it asks")
            try await call.send(digits: "47")
            let held = try await answer
            #expect(held.body["gather"]?["digits"] == "47" && held.body["gather"]?["id"] == held.body["gather_id"])
            try await suite.eventually("the webhook is there") { try await application.seen()["/gathered"] == 1 }
            #expect(try await application.seen()["unsigned"] == 0)
            try await call.hangup()
        }
    }

    @Test("a transfer is the flow action's: to another flow, with the caller and time that were asked for, or by the call's own phone")
    func transferAsFlowsDo() async throws {
        let flow = try await suite.create("flows", ["name": "echo", "actions": [["type": "echo"]]])
        try await withPhones(2, in: suite) { phones in
            let call = try await phones[0].call(try await sleeping())
            try await call.answered()
            let id = try await suite.callID(from: phones[0].number)
            for body: JSONValue in [[:], ["to": "1", "flow_id": "x"], ["flow_id": "flow_none"], ["to": ["1", "2"], "method": "refer"], ["call_id": "x", "timeout": 5_000]] {
                #expect(try await act(id, "transfer", body).status == 422, "\(body.jsonText)")
            }
            try await ok(id, "transfer", ["flow_id": flow["id"] ?? .null])
            #expect(await call.hears(440), "its echo")
            try await ok(id, "transfer", ["to": [.string(phones[1].number)], "timeout": 20_000])
            let other = try await phones[1].incomingCall()
            // Not before its ACK (RFC 3261 §15).
            try await other.answered()
            #expect(await other.hears(440))
            try await other.hangup()
            _ = try await call.ended()
            try await suite.eventually("the run has handed it on") {
                let runs = try await suite.request("GET", "/v1/runs?reference_id=\(id)").body["data"]?.array ?? []
                return runs.contains { $0["status"] == "transferred" }
            }
        }
    }

    @Test("RFC 9110 §9.3.2: HEAD is answered like GET, without the body")
    func head() async throws {
        for path in ["/v1/calls", "/openapi.json", "/v1/calls/call_none"] {
            let (whole, head) = (try await suite.request("GET", path), try await suite.request("HEAD", path))
            #expect(head.status == whole.status, "\(path)")
            #expect(head.body == .null)
            #expect(head.headers["content-type"] == whole.headers["content-type"])
            #expect((head.headers["content-length"].flatMap { Int($0) } ?? 0) > 0)
        }
        let refused = try await suite.request("HEAD", "/v1/calls/x/actions/hangup")
        #expect(refused.status == 405 && refused.headers["allow"] == "POST")
    }
}
