import Audio
import Contracts
import Deadlines
import Flow
import Phone
import Suite
import Testing

@Suite("Calls go from room to room, and two who need no room do without", .timeLimit(.minutes(3)))
struct MoveTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// A call that is answered and then waits.
    private func waiting(_ phone: PhoneLine) async throws -> (call: PhoneCall, id: String) {
        let number = try await suite.makeNumber(running: [
            ["id": "up", "type": "answer", "option": [:]], ["id": "wait", "type": "sleep", "option": ["duration": 120_000]],
        ])
        let call = try await phone.call(number.number)
        try await call.answered()
        return (call, try await id(of: phone))
    }

    private func id(of phone: PhoneLine) async throws -> String {
        "call_" + (try await suite.session(from: phone.number)).dropFirst("sess_".count)
    }

    private func move(_ id: String, _ target: [String: JSONValue], key: String? = nil) async throws -> RunningSuite.Answer {
        try await suite.request("POST", "/v1/calls/\(id)/actions/move", .object(target), key: key)
    }

    /// Frames of 20 ms in which none of these tones is heard, the longest run of them.
    private static func longestSilence(_ sound: [Int16], _ tones: [Int]) -> Int {
        var (run, longest) = (0, 0)
        for start in stride(from: 0, to: sound.count - 159, by: 160) {
            let frame = Array(sound[start..<start + 160])
            let isHeard = tones.contains { Level(amplitude: Goertzel.amplitude(of: Double($0), in: frame.span)).dBFS > -40 }
            run = isHeard ? 0 : run + 1
            longest = max(longest, run)
        }
        return longest
    }

    @Test("two become many and go apart again: into another call's room, into a conference; in one stream, and two packets of sound are missed at most")
    func twoBecomeMany() async throws {
        let conference = try await suite.create("conferences", ["name": "Board", "number": .string("88\(Int.random(in: 100_000...999_999))")])
        let conferenceID = try #require(conference["id"]?.string)
        try await withPhones(4, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            let host = try await id(of: phones[0])
            // Two who talk beforehand, so that the one who goes hears something all the while.
            let (guest, other) = try await connect(phones[2], phones[3])
            #expect(await guest.hears(1_370))
            #expect(await other.hears(1_010))
            let moved = try await id(of: phones[2])
            let before = await guest.report.sound
            let answer = try await move(moved, ["call_id": .string(host)])
            #expect(answer.status == 200, "\(answer.body.jsonText)")
            #expect(await guest.hears(440))
            #expect(await guest.hears(620))
            #expect(await caller.hears(1_010))
            #expect(await callee.hears(1_010))
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            let after = await guest.report.sound
            #expect(after.lost == before.lost && after.sources == before.sources && after.unexpected == before.unexpected)
            #expect(Self.longestSilence(Array(await guest.sound.suffix(16_000)), [1_370, 440, 620]) <= 2, "two packets at most")
            try await suite.eventually("it is not there any more") { await other.level(of: 1_010) < -38 }

            #expect(try await move(moved, ["conference_id": .string(conferenceID)]).status == 200)
            try await suite.eventually("it is in the conference") {
                try await suite.request("GET", "/v1/conferences/\(conferenceID)/participants").body["data"]?.array?.count == 1
            }
            #expect(try await move(host, ["conference_id": .string(conferenceID)]).status == 200)
            #expect(await guest.hears(440))
            #expect(await caller.hears(1_010))
            try await suite.eventually("the callee is alone") {
                let levels = [await callee.level(of: 440), await callee.level(of: 1_010)]
                return levels.allSatisfy { $0 < -38 }
            }
            let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(moved)").body["data"]?.array ?? []
            #expect(events.filter { $0["type"]?.string == "call.moved" }.count == 2)
            for call in [guest, caller] { try await call.hangup() }
            _ = try await callee.ended()
            _ = try await other.ended()
        }
    }

    @Test("room_id is the room a call is in, also while its flow has it in a conference, and when it is back")
    func roomOfRecord() async throws {
        let conference = try await suite.create("conferences", ["name": "Where", "number": .string("88\(Int.random(in: 100_000...999_999))")])
        let conferenceID = try #require(conference["id"]?.string)
        let number = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "before", "type": "sleep", "option": ["duration": 1_000]],
            ["id": "in", "type": "conference_join", "option": ["conference_id": .string(conferenceID)]],
            ["id": "after", "type": "sleep", "option": ["duration": 60_000]],
        ])
        try await withPhones(2, in: suite) { phones in
            var calls: [(call: PhoneCall, id: String, own: String)] = []
            func room(_ id: String) async throws -> String? { try await suite.request("GET", "/v1/calls/\(id)").body["room_id"]?.string }
            for phone in phones {
                let call = try await phone.call(number.number)
                try await call.answered()
                let id = try await id(of: phone)
                var own: String?
                try await suite.eventually("the call has a room") {
                    own = try await room(id)
                    return own != nil
                }
                calls.append((call, id, try #require(own)))
            }
            let (first, second) = (calls[0], calls[1])
            #expect(first.own != second.own)
            var met: String?
            try await suite.eventually("both are in one room") {
                met = try await room(first.id)
                return try await room(second.id) == met && met != first.own && met != second.own
            }
            let inside = try await suite.request("GET", "/v1/conferences/\(conferenceID)/participants").body["data"]?.array ?? []
            let participant = try #require(inside.first { $0["call_id"]?.string == first.id }?["id"]?.string)
            #expect(try await suite.request("DELETE", "/v1/conferences/\(conferenceID)/participants/\(participant)").status == 204)
            try await suite.eventually("who was put out is in its own room") { try await room(first.id) == first.own }
            #expect(try await room(second.id) == met)
            for call in calls { try await call.call.hangup() }
        }
    }

    @Test("what cannot be moved, or nowhere: 409, 404, 422; another customer's call and room are not there")
    func refusals() async throws {
        try await withPhones(1, in: suite) { phones in
            let (call, id) = try await waiting(phones[0])
            #expect(try await move(id, [:]).status == 422)
            #expect(try await move(id, ["room_id": "room_x", "call_id": "call_x"]).status == 422)
            #expect(try await move(id, ["room_id": "room_nobodys"]).status == 404)
            #expect(try await move(id, ["call_id": "call_nobodys"]).status == 404)
            #expect(try await move(id, ["conference_id": "conf_nobodys"]).status == 404)
            let bootstrap = try suite.bootstrapKey()
            let domain = "move\(UInt32.random(in: 0 ... .max)).localhost"
            let customer = try await suite.request("POST", "/v1/customers", ["name": "Other", "domain": .string(domain)], key: bootstrap)
            let stranger = try #require(customer.body["id"]?.string)
            let made = try await suite.request("POST", "/v1/keys?customer_id=\(stranger)", ["name": "test"], key: bootstrap)
            let key = try #require(made.body["secret"]?.string)
            let room = try #require(try await suite.request("GET", "/v1/calls/\(id)").body["room_id"]?.string)
            #expect(try await move(id, ["room_id": .string(room)], key: key).status == 404)
            await #expect(throws: RPCError.self) { try await suite.host(ofRoom: room, of: stranger) }
            _ = try await suite.request("DELETE", "/v1/customers/\(stranger)", key: bootstrap)
            try await call.hangup()
            try await suite.eventually("the call is over") { try await move(id, ["room_id": "room_x"]).status == 409 }
        }
    }

    @Test("two who need nothing are linked by their relays: in one stream, their keys are told; a third brings the mixer back")
    func linking() async throws {
        let server = "ConferenceServer"
        try await withPhones(3, in: suite) { phones in
            let links = try await suite.metric("tandem_room_links_total", of: server)
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            try await suite.eventually("they are linked") { try await suite.metric("tandem_room_links_total", of: server) > links }
            let before = await caller.report.sound
            try await Task.sleep(for: .seconds(1))
            let after = await caller.report.sound
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            #expect(after.lost == before.lost && after.sources == 1 && after.packetsReceived - before.packetsReceived > 40)
            try await caller.send(digits: "42")
            #expect(await callee.receives(digits: "42"))
            let host = try await id(of: phones[0])
            try await suite.eventually("its keys are told") {
                let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(host)").body["data"]?.array ?? []
                return events.reversed().filter { $0["type"]?.string == "call.digits" }.compactMap { $0["data"]?["digit"]?.string }.joined() == "42"
            }
            let returns = try await suite.metric("tandem_room_links_ended_total", of: server)
            let (guest, id) = try await waiting(phones[2])
            #expect(try await move(id, ["call_id": .string(host)]).status == 200)
            #expect(await guest.hears(440))
            #expect(await guest.hears(620))
            #expect(await caller.hears(1_010))
            #expect(await callee.hears(1_010))
            #expect(try await suite.metric("tandem_room_links_ended_total", of: server) > returns)
            let missed = Self.longestSilence(Array(await caller.sound.suffix(16_000)), [620])
            #expect(missed <= 3, "60 ms, not \(missed * 20)")
            #expect(await caller.report.sound.sources == 1)
            try await guest.hangup()
            try await suite.eventually("the two are linked again") { try await suite.metric("tandem_room_links_total", of: server) > links + 1 }
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            try await caller.hangup()
            _ = try await callee.ended()
        }
    }
}
