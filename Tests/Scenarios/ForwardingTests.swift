import Deadlines
import Flow
import Phone
import Suite
import Testing

@Suite("Calls that the phones of an extension do not take go on to where it says", .timeLimit(.minutes(3)))
struct ForwardingTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func change(_ phone: PhoneLine, _ fields: [String: JSONValue]) async throws {
        let found = try await suite.request("GET", "/v1/extensions?number=\(phone.number)").body["data"]?.array?.first
        let id = try #require(found?["id"]?.string)
        let answer = try await suite.request("PATCH", "/v1/extensions/\(id)", .object(fields))
        #expect(answer.status == 200)
        for (name, value) in fields where value.object == nil { #expect(answer.body[name] == value) }
    }

    private func refusal(_ call: PhoneCall) async throws -> Int? {
        if case .refused(let code, _) = try await call.ended(within: .seconds(15)) { code } else { nil }
    }

    @Test("busy, declined, not answered in time and not there: another phone rings, and the two hear each other", arguments: ["busy", "no_answer", "unreachable"])
    func goesOn(reason: String) async throws {
        try await withPhones(3, in: suite) { phones in
            switch reason {
            case "busy": await phones[1].setIncoming(.decline)
            case "no_answer": await phones[1].setIncoming(.ring)
            default: try await phones[1].unregister()
            }
            try await change(phones[1], ["forwarding": [reason: .string(phones[2].number), "ring_seconds": 2]])
            let call = try await phones[0].call(phones[1].number)
            try await call.answered(within: .seconds(10))
            let taken = try await phones[2].incomingCall()
            #expect(await call.hears(1_010))
            #expect(await taken.hears(440))
            try await taken.hangup()
            #expect(try await call.ended() == .hungUpThere)
            try await suite.eventually("the caller's record says that the callee has hung up") {
                let records = try await suite.request("GET", "/v1/calls?from=\(phones[0].number)&direction=inbound").body["data"]?.array ?? []
                return records.first?["hangup_by"] == "callee"
            }
        }
    }

    @Test("always: its own phone does not ring; without any destination it rings again")
    func always() async throws {
        try await withPhones(3, in: suite) { phones in
            try await change(phones[1], ["forwarding": ["always": .string(phones[2].number)]])
            var call = try await phones[0].call(phones[1].number)
            try await call.answered()
            _ = try await phones[2].incomingCall()
            try await call.hangup()
            try await change(phones[1], ["forwarding": .null])
            call = try await phones[0].call(phones[1].number)
            try await call.answered()
            _ = try await phones[1].incomingCall()
            try await call.hangup()
        }
    }

    @Test("not to be disturbed: busy for who calls it, and for a flow that dials it; its mailbox takes the message")
    func notToBeDisturbed() async throws {
        try await withPhones(2, in: suite) { phones in
            try await change(phones[1], ["do_not_disturb": true])
            #expect(try await refusal(try await phones[0].call(phones[1].number)) == 486)
            let number = try await suite.makeNumber(running: [
                [
                    "id": "ring", "type": "dial",
                    "option": ["targets": [["target": .string(phones[1].number), "type": "extension"]], "busy_target_id": "say", "failed_target_id": "end"],
                ],
                ["id": "end", "type": "hangup"], ["id": "say", "type": "answer"], ["id": "tone", "type": "play_tone", "option": ["frequency": 1200, "duration": 3000]],
            ])
            var call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hears(1200))
            try await call.hangup()
            try await change(phones[1], ["forwarding": ["busy": "voicemail"]])
            call = try await phones[0].call(phones[1].number)
            try await call.answered()
            #expect(await call.hears(1000, within: .seconds(15)), "the tone after the greeting")
            try await Task.sleep(for: .seconds(3))
            try await call.hangup()
            try await suite.eventually("the message is in its mailbox") {
                try await suite.request("GET", "/v1/voicemails?mailbox=\(phones[1].number)").body["data"]?.array?.count == 1
            }
            try await change(phones[1], ["do_not_disturb": false])
            call = try await phones[0].call(phones[1].number)
            try await call.answered()
            try await call.hangup()
        }
    }
}
