import Flow
import Phone
import Suite
import Testing

/// Kills the service that others need.
@Suite("FlowManager dies while a flow waits for a web server", .serialized, .timeLimit(.minutes(2)))
struct FlowRequestDeathTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("the call goes on; what was sent is not sent again, and the flow is told; a GET is made anew")
    func killed() async throws {
        let application = try await FlowApplication(suite)
        defer { application.stop() }
        let slow = application.address + "/slow"
        let number = try await suite.makeNumber(running: [
            ["id": "hello", "type": "answer"],
            ["id": "post", "type": "http_request", "option": ["url": .string(slow + "/post"), "method": "POST", "body": "x", "timeout": 10_000]],
            ["id": "told", "type": "condition", "option": ["expression": "results.post.code == 'interrupted'", "false_target_id": "wrong"]],
            ["id": "tone", "type": "play_tone", "option": ["frequency": 800, "duration": 20_000]], ["id": "wrong", "type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            try await call.setTone(nil)
            try await suite.eventually("it is asked") { try await application.seen()["/slow/post"] == 1 }
            let old = try suite.pid(of: "FlowManager")
            try suite.killProcess(of: "FlowManager")
            #expect(await call.hears(800, within: .seconds(10)), "the flow goes on, and knows")
            try await suite.waitUntilBack("FlowManager", insteadOf: old)
            #expect(try await application.seen()["/slow/post"] == 1)
            try await call.hangup()
        }
    }
}
