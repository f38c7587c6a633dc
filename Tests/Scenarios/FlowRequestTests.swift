import Deadlines
import Flow
import Phone
import Suite
import Testing

@Suite("A flow asks a customer's application", .timeLimit(.minutes(2)))
struct FlowRequestTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("fetch performs what it is told; http_request and webhook_send reach it, signed; private addresses and redirects are not followed")
    func requests() async throws {
        let application = try await FlowApplication(suite)
        let address = application.address
        defer { application.stop() }
        let number = try await suite.makeNumber(running: [
            ["id": "order", "type": "http_request", "option": ["url": .string(address + "/order"), "variable": "order"]],
            ["id": "check", "type": "condition", "option": ["expression": "order.items[0].price == 2.5 and results.order.status == 200", "false_target_id": "wrong"]],
            ["id": "flaky", "type": "http_request", "option": ["url": .string(address + "/flaky"), "method": "POST", "json": ["a": 1], "retries": 2]],
            ["id": "tried", "type": "condition", "option": ["expression": "results.flaky.attempts == 2", "false_target_id": "wrong"]],
            ["id": "private", "type": "http_request", "option": ["url": "http://10.0.0.1/"]],
            ["id": "refused", "type": "condition", "option": ["expression": "results.private.code == 'address_refused'", "false_target_id": "wrong"]],
            ["id": "moved", "type": "webhook_send", "option": ["uri": .string(address + "/moved"), "sync": true, "data": "{}"]],
            ["id": "stayed", "type": "condition", "option": ["expression": "results.moved.code == 'http_302'", "false_target_id": "wrong"]],
            ["id": "tell", "type": "webhook_send", "option": ["uri": .string(address + "/hook"), "data": "{\"from\":\"${call.from}\"}"]],
            ["id": "ask", "type": "fetch", "option": ["event_url": .string(address + "/actions")], "next_id": "bye"],
            ["id": "wrong", "type": "hangup", "option": ["reason": "busy"]],
            ["id": "bye", "type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(await call.hears(440), "the echo that the application told")
            #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
        }
        try await suite.eventually("the webhook is there") { try await application.seen()["/hook"] == 1 }
        let seen = try await application.seen()
        #expect(seen["/order"] == 1 && seen["/flaky"] == 2 && seen["/actions"] == 1 && seen["/moved"] == 1)
        #expect(seen["unsigned"] == 0)
    }

    @Test("parallel: the caller is busy with the call's branch until another has its answer, then the flow goes on at once")
    func beside() async throws {
        let application = try await FlowApplication(suite)
        let address = application.address
        defer { application.stop() }
        let number = try await suite.makeNumber(running: [
            ["id": "wait", "type": "parallel", "option": ["until": "first", "branches": [
                ["name": "caller", "actions": [["id": "echo", "type": "echo", "option": ["duration": 60_000]]]],
                ["name": "app", "actions": [
                    ["id": "slow", "type": "webhook_send", "option": ["uri": .string(address + "/slow"), "sync": true, "data": "{}"]],
                    ["type": "variable_set", "option": ["key": "answer", "expression": "results.slow.status"]],
                ]],
            ]]],
            ["type": "condition", "option": ["expression": "answer == 200 and results.wait.first == 'app'", "false_target_id": "busy"]],
            ["id": "tone", "type": "play_tone", "option": ["frequency": 1200, "duration": 1500]],
            ["id": "busy", "type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered(within: .seconds(8))
            #expect(await call.hears(440), "its own voice")
            #expect(await call.hears(1200), "what comes when the application has answered")
            #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
        }
        #expect(try await application.seen()["/slow"] == 1)
    }

    @Test("A slow application delays its own call alone, and is asked once")
    func slow() async throws {
        let application = try await FlowApplication(suite)
        let address = application.address
        defer { application.stop() }
        let number = try await suite.makeNumber(running: [
            ["id": "slow", "type": "webhook_send", "option": ["uri": .string(address + "/slow"), "sync": true, "data": "{}"]],
            ["id": "echo", "type": "echo", "option": ["duration": 1500]], ["id": "bye", "type": "hangup"],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered(within: .seconds(8))
            #expect(await call.hears(440))
            #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
        }
        #expect(try await application.seen()["/slow"] == 1)
    }

    @Test("Who hangs up meanwhile ends the run")
    func hangsUp() async throws {
        let application = try await FlowApplication(suite)
        let address = application.address
        defer { application.stop() }
        let number = try await suite.makeNumber(running: [
            ["id": "hello", "type": "answer"], ["id": "slow", "type": "webhook_send", "option": ["uri": .string(address + "/slow"), "sync": true, "data": "{}"]],
            ["id": "echo", "type": "echo"],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            let id = try await suite.callID(from: phones[0].number)
            try await suite.eventually("it asks") { try await application.seen()["/slow"] == 1 }
            try await call.hangup()
            try await suite.eventually("the run is over") {
                try await suite.request("GET", "/v1/runs?reference_id=\(id)").body["data"]?.array?.first?["status"]?.string == "call_ended"
            }
        }
    }

    @Test("A flow runs when a recording is there, and others when a run has ended, five in a chain; they have no call")
    func afterwards() async throws {
        let application = try await FlowApplication(suite)
        let address = application.address
        defer { application.stop() }
        func flow(_ actions: JSONValue, then next: String? = nil) async throws -> String {
            var body: [String: JSONValue] = ["name": "afterwards", "actions": actions]
            body["on_complete_flow_id"] = next.map(JSONValue.string)
            return try await suite.create("flows", .object(body))["id"]?.string ?? ""
        }
        let recorded = try await flow([
            ["id": "talk", "type": "talk", "option": ["text": "Nobody hears this."]],
            ["type": "condition", "option": ["expression": "results.talk.code == 'no_call' and voipbin.recording.duration_ms > 500", "false_target_id": "bye"]],
            ["id": "ask", "type": "http_request", "option": ["url": .string(address + "/order"), "method": "POST", "json": ["recording": "${voipbin.recording.id}"]]],
            ["type": "condition", "option": ["expression": "results.ask.status == 200", "false_target_id": "bye"]],
            ["type": "webhook_send", "option": ["uri": .string(address + "/recorded"), "data": "{}"]], ["id": "bye", "type": "stop"],
        ])
        let last = try await flow([["type": "webhook_send", "option": ["uri": .string(address + "/completed"), "data": "{}"]]])
        #expect(try await suite.request("PATCH", "/v1/flows/\(last)", ["on_complete_flow_id": .string(last)]).status == 200)
        let first = try await flow(
            [
                ["type": "answer"], ["type": "recording_start", "option": ["on_end_flow_id": .string(recorded), "duration": 1]],
                ["type": "sleep", "option": ["duration": 1500]], ["type": "hangup"],
            ], then: last)
        let number = try await suite.makeAccount(flow: first)
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(try await call.ended(within: .seconds(8)) == .hungUpThere)
        }
        try await suite.eventually("all are told") {
            let seen = try await application.seen()
            return seen["/recorded"] == 1 && seen["/completed"] == 5
        }
        let runs = try await suite.request("GET", "/v1/runs?flow_id=\(last)").body["data"]?.array ?? []
        #expect(runs.count == 5 && runs.allSatisfy { $0["status"] == "completed" })
        #expect(try await application.seen()["/completed"] == 5)
    }
}
