import Flow
import Foundation
import Phone
import Suite
import Testing

/// Nobody asks for the next step of such a run: whoever lives has to find out by himself that its FlowManager is gone.
@Suite("FlowManager dies under a run without a call (RELIABILITY K6)", .serialized, .timeLimit(.minutes(3)))
struct FlowAloneDeathTests {
    private static let service = "FlowManager"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("the run goes on in whoever is there next: what was sent is not sent again, and the flow is told; a GET is made anew; what follows happens once")
    func killed() async throws {
        let application = try await FlowApplication(suite)
        let address = application.address
        defer { application.stop() }
        let alone = try await suite.create("flows", [
            "name": "alone",
            "actions": [
                ["id": "post", "type": "http_request", "option": ["url": .string(address + "/slow/post"), "method": "POST", "body": "x", "timeout": 10_000]],
                ["type": "condition", "option": ["expression": "results.post.code == 'interrupted'", "false_target_id": "wrong"]],
                ["id": "get", "type": "http_request", "option": ["url": .string(address + "/slow/get"), "timeout": 10_000]],
                ["type": "condition", "option": ["expression": "results.get.status == 200", "false_target_id": "wrong"]],
                ["type": "webhook_send", "option": ["uri": .string(address + "/told"), "data": "{}"]],
                ["id": "wrong", "type": "stop"],
            ],
        ])["id"]?.string ?? ""
        let first = try await suite.create("flows", [
            "name": "before", "on_complete_flow_id": .string(alone), "actions": [["type": "answer"], ["type": "hangup"]],
        ])["id"]?.string ?? ""
        let number = try await suite.makeAccount(flow: first)
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            #expect(try await call.ended(within: .seconds(10)) == .hungUpThere)
            for path in ["/slow/post", "/slow/get"] {
                try await suite.eventually("\(path) is asked", within: .seconds(20)) { try await application.seen()[path] == 1 }
                let old = try suite.pid(of: Self.service)
                try suite.killProcess(of: Self.service)
                try await suite.waitUntilBack(Self.service, insteadOf: old)
            }
            var runs: [JSONValue] = []
            try await suite.eventually("the run is over", within: .seconds(20)) {
                runs = try await suite.request("GET", "/v1/runs?flow_id=\(alone)").body["data"]?.array ?? []
                return runs.first.map { $0["status"] != "running" } ?? false
            }
            #expect(runs.count == 1 && runs.first?["status"] == "stopped")
            try await suite.eventually("what follows is told") { try await application.seen()["/told"] == 1 }
            let seen = try await application.seen()
            #expect(seen["/slow/post"] == 1, "it is made once, whoever died")
            #expect(seen["/slow/get"] == 2 && seen["/slow/get#ids"] == 1, "a GET is made anew, under its name")
            #expect(seen["/told"] == 1 && seen["unsigned"] == 0)
        }
    }
}
