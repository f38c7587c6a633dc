import Deadlines
import Flow
import Phone
import Suite
import Testing

/// A message in a mailbox exists through what the run is told when the call ends: nobody may miss that.
@Suite("Somebody dies within a voicemail message (RELIABILITY K2, K6, D3)", .serialized, .timeLimit(.minutes(5)))
struct MessageDeathTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    private func messages(_ mailbox: String) async throws -> [JSONValue] {
        try await suite.request("GET", "/v1/voicemails?mailbox=\(mailbox)").body["data"]?.array ?? []
    }

    /// A caller who is four seconds into a message when `body` begins; afterwards it is in the mailbox, once.
    private func leave(_ body: (PhoneCall) async throws -> Void) async throws {
        let mailbox = "box\(UInt32.random(in: .min ... .max))"
        let number = try await suite.makeNumber(running: [
            ["type": "answer"], ["id": "vm", "type": "voicemail", "option": ["mailbox": .string(mailbox), "greeting_text": "", "end_of_key": "#"]],
            ["id": "thanks", "type": "play_tone", "option": ["frequency": 1200, "duration": 4000]], ["type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hears(1000, within: .seconds(5)), "the tone after which to speak")
            try await Task.sleep(for: .seconds(4))
            try await body(call)
        }
        var left: [JSONValue] = []
        try await suite.eventually("the message is in the mailbox", within: .seconds(30)) {
            left = try await messages(mailbox)
            return !left.isEmpty
        }
        #expect(left.count == 1 && (left.first?["duration_ms"]?.integer ?? 0) > 2500, "\(left.map(\.jsonText))")
        let recording = try await suite.recording(try #require(left.first?["recording_id"]?.string), within: .seconds(30))
        #expect(recording["status"] == "stored" && recording["duration_ms"]?.integer ?? 0 > 2500)
        let call = try #require(left.first?["call_id"]?.string)
        let run = "run_" + call.dropFirst("call_".count)
        try await suite.eventually("the run is over") { try await suite.request("GET", "/v1/runs/\(run)").body["status"]?.string != "running" }
        try await suite.eventually("nothing is left of the call") { try suite.redis("EXISTS", "tandem:call:lease:\(call)").hasPrefix("0") }
        #expect(try await messages(mailbox).count == 1)
    }

    @Test("the caller hangs up while the flow manager is gone: it hears of the message when it is back")
    func withoutFlowManager() async throws {
        try await leave { call in
            let old = try suite.pid(of: "FlowManager")
            try suite.leaveAlone("FlowManager")
            defer { try? suite.supervise("FlowManager") }
            try suite.killProcess(of: "FlowManager")
            try await call.hangup()
            // Longer than an ended call is kept for its media.
            try await Task.sleep(for: .seconds(7))
            try suite.supervise("FlowManager")
            try await suite.waitUntilBack("FlowManager", insteadOf: old)
        }
    }

    @Test("the caller hangs up while the flow manager is gone, and the call server dies after that: its next life tells of the message")
    func withoutBoth() async throws {
        try await leave { call in
            let (old, oldCalls) = (try suite.pid(of: "FlowManager"), try suite.pid(of: "CallServer"))
            try suite.leaveAlone("FlowManager")
            defer { try? suite.supervise("FlowManager") }
            try suite.killProcess(of: "FlowManager")
            try await call.hangup()
            try await Task.sleep(for: .seconds(7))
            try suite.killProcess(of: "CallServer")
            try await suite.waitUntilBack("CallServer", insteadOf: oldCalls)
            try suite.supervise("FlowManager")
            try await suite.waitUntilBack("FlowManager", insteadOf: old)
        }
    }

    @Test("the caller hangs up while PostgreSQL is gone")
    func withoutDatabase() async throws {
        try await leave { call in
            try await suite.crash(.postgres)
            try await call.hangup()
            try await Task.sleep(for: .seconds(7))
            try await suite.startServers()
        }
    }

    @Test("the call server dies in the middle of the message: the key that is pressed as soon as it is back ends it, and the flow goes on")
    func withoutCallServer() async throws {
        try await leave { call in
            let old = try suite.pid(of: "CallServer")
            try suite.killProcess(of: "CallServer")
            try await suite.waitUntilBack("CallServer", insteadOf: old)
            try await call.send(digits: "#")
            #expect(await call.hears(1200, within: .seconds(5)), "the flow goes on")
            #expect(await call.report.sound.longestGap < .milliseconds(400))
            try await call.hangup()
        }
    }
}
