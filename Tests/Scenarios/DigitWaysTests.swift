import Flow
import Phone
import Suite
import Testing

@Suite("Keys reach a flow once, whichever way the phone tells of them", .timeLimit(.minutes(2)))
struct DigitWaysTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    /// A number that echoes after 4 and 2, and hangs up after anything else.
    private func gather() async throws -> RunningSuite.Account {
        try await suite.makeNumber(running: [
            ["id": "in", "type": "digits_receive", "option": ["duration": 8_000, "length": 2]],
            ["id": "choice", "type": "branch", "option": ["target_ids": ["42": "right"], "default_target_id": "wrong"]],
            ["id": "right", "type": "echo", "option": ["duration": 4_000], "next_id": "end"],
            ["id": "wrong", "type": "hangup", "option": ["reason": "busy"]],
            ["id": "end", "type": "hangup", "option": [:]],
        ])
    }

    /// The keys that the events of the phone's call tell of.
    private func told(of phone: PhoneLine) async throws -> String {
        let calls = try await suite.request("GET", "/v1/calls?from=\(phone.number)").body
        let id = calls["data"]?.array?.first?["id"]?.string ?? ""
        let events = try await suite.request("GET", "/v1/events?limit=200&resource_id=\(id)").body["data"]?.array ?? []
        // The newest stands first.
        return events.reversed().filter { $0["type"]?.string == "call.digits" }.compactMap { $0["data"]?["digit"]?.string }.joined()
    }

    private func expectOnce(_ options: (inout PhoneSettings) -> Void, _ press: (PhoneCall) async throws -> Void) async throws {
        let number = try await gather()
        try await withPhones(1, in: suite, options: options) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            try await call.setTone(nil)
            try await Task.sleep(for: .milliseconds(300))
            try await press(call)
            try await call.setTone(440)
            #expect(await call.hears(440, within: .seconds(4)), "4 and 2, and nothing else")
            try await call.hangup()
            try await suite.eventually("both keys are told") { try await told(of: phones[0]).count >= 2 }
            #expect(try await told(of: phones[0]) == "42")
        }
    }

    @Test("in INFO requests (RFC 6086), of the two kinds of content there are")
    func info() async throws {
        try await expectOnce({ $0.hasEvents = false }) { call in
            let first = try await call.sendInfo("application/dtmf-relay", "Signal=4\r\nDuration=120\r\n")
            let second = try await call.sendInfo("application/dtmf", "2")
            #expect(first == 200 && second == 200)
        }
    }

    @Test("as events and in INFO requests at once")
    func both() async throws {
        try await expectOnce({ _ in }) { call in
            for key in ["4", "2"] {
                try await call.send(digits: key)
                let status = try await call.sendInfo("application/dtmf-relay", "Signal=\(key)\r\nDuration=100\r\n")
                #expect(status == 200)
            }
        }
    }

    @Test("as tones in the sound, where no events were agreed on (ITU-T Q.23)")
    func tones() async throws {
        try await expectOnce({ $0.hasEvents = false }) { try await $0.send(tones: "42") }
    }

    @Test("as tones of a phone that talks with another, whose packets would otherwise go from one to the other unheard")
    func tonesBetweenTwo() async throws {
        try await withPhones(1, in: suite, options: { $0.hasEvents = false }) { callers in
            try await withPhones(2, in: suite) { callees in
                let (caller, callee) = try await connect(callers[0], callees[1])
                #expect(await callee.hears(440))
                try await Task.sleep(for: .seconds(2))
                try await caller.setTone(nil)
                try await caller.send(tones: "42")
                #expect(await callee.receives(digits: "42"))
                try await caller.hangup()
            }
        }
    }

    @Test("An INFO of other content is 415, one that names no key 400, one of a package 469, an empty one 200")
    func refusals() async throws {
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call("600")
            try await call.answered()
            #expect(try await call.sendInfo("application/xml", "<x/>") == 415)
            #expect(try await call.sendInfo("application/dtmf-relay", "Signal=Z\r\n") == 400)
            #expect(try await call.sendInfo("", "") == 200)
            #expect(await call.hears(440), "and the call goes on")
            try await call.hangup()
        }
    }

    @Test("A flow's keys are tones for a phone that takes no events")
    func outward() async throws {
        let number = try await suite.makeNumber(running: [
            ["id": "keys", "type": "digits_send", "option": ["digits": "55555", "duration": 1_000, "interval": 100]],
            ["id": "end", "type": "hangup", "option": [:]],
        ])
        try await withPhones(1, in: suite, options: { $0.hasEvents = false }) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hears(770, within: .seconds(4)))
            #expect(await call.hears(1_336, within: .seconds(2)))
            #expect(await call.report.sound.digits == "")
            try await call.hangup()
        }
    }
}
