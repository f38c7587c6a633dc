import Flow
import Phone
import Suite
import Testing

@Suite("A flow transfers its call", .timeLimit(.minutes(2)))
struct FlowTransferTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("To another phone, and the call ends with it; where that is busy the flow goes on, to another flow, and nothing of the first is left")
    func toPhoneAndToFlow() async throws {
        let other = try await suite.create("flows", ["name": "transferred to", "actions": [
            ["id": "tone", "type": "play_tone", "option": ["frequency": 1_200, "duration": 2_000]], ["id": "bye", "type": "hangup"],
        ]])
        let flow = try #require(other["id"])
        try await withPhones(3, in: suite) { phones in
            await phones[2].setIncoming(.busy)
            func number(to phone: PhoneLine) async throws -> RunningSuite.Account {
                try await suite.makeNumber(running: [
                    ["id": "hand", "type": "transfer", "option": [
                        "destinations": [["type": "extension", "target": .string(phone.number)]], "timeout": 8_000, "busy_target_id": "other"]],
                    ["id": "wrong", "type": "play_tone", "option": ["frequency": 1_800, "duration": 5_000]],
                    ["id": "other", "type": "transfer", "option": ["flow_id": flow]], ["id": "never", "type": "sleep", "option": ["duration": 60_000]],
                ])
            }
            let call = try await phones[0].call(try await number(to: phones[1]).number)
            try await call.answered()
            let third = try await phones[1].incomingCall()
            #expect(await third.hears(440))
            #expect(await call.hears(620))
            let id = try await suite.callID(from: phones[0].number)
            try await third.hangup()
            #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
            try await suite.eventually("the run says so") {
                try await suite.request("GET", "/v1/runs?reference_id=\(id)").body["data"]?.array?.first?["status"] == "transferred"
            }
            let again = try await phones[0].call(try await number(to: phones[2]).number)
            try await again.answered()
            #expect(await again.hears(1_200), "the other flow")
            #expect(try await again.ended(within: .seconds(8)) == .hungUpThere)
        }
    }
}
