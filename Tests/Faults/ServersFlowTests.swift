import Flow
import Foundation
import Phone
import Suite
import Testing

/// Runs with `SCALE="CallServer=2 FlowManager=2"`: one of the two is killed at another moment of each step, and is not there when the other goes on.
@Suite("One of two FlowManagers dies in the middle of steps (RELIABILITY K6)", .serialized, .timeLimit(.minutes(5)))
struct ServersFlowTests {
    private static let service = "FlowManager"
    private static let keys = "123456789*0#"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("the other goes on: no key is lost or counted twice, and nothing is asked of a web server twice")
    func killed() async throws {
        let application = try await FlowApplication(suite)
        defer { application.stop() }
        var actions: [JSONValue] = [["id": "answer", "type": "answer"]]
        for (place, _) in Self.keys.enumerated() {
            func id(_ name: String) -> JSONValue { .string("\(name)\(place)") }
            actions.append(["id": id("in"), "type": "digits_receive", "option": ["duration": 30_000, "length": 1]])
            actions.append(["id": id("post"), "type": "http_request", "option": ["url": .string("\(application.address)/post/\(place)"), "method": "POST", "body": "x"]])
            actions.append(["id": id("hook"), "type": "webhook_send", "option": ["uri": .string("\(application.address)/hook/\(place)"), "data": "{}"]])
            actions.append([
                "id": id("waited"), "type": "webhook_send",
                "option": ["uri": .string("\(application.address)/waited/\(place)"), "data": "{}", "sync": true, "retries": 0],
            ])
            actions.append(["id": id("out"), "type": "digits_send", "option": ["digits": "${voipbin.call.digits}", "duration": 100, "interval": 50]])
            actions.append(["id": id("clear"), "type": "variable_set", "option": ["key": "voipbin.call.digits", "value": ""]])
        }
        actions.append(["id": "end", "type": "echo", "option": ["duration": 60_000]])
        let number = try await suite.makeNumber(running: .array(actions))
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            var longest = Duration.zero
            var sent = ""
            for (place, key) in Self.keys.enumerated() {
                let victim = place % 2 + 1
                let old = try suite.pid(of: Self.service, victim)
                try suite.leaveAlone(Self.service, victim)
                defer { try? suite.supervise(Self.service, victim) }
                // It is heard while it is pressed, and told then.
                let pressed = Task { try await call.send(digits: String(key)) }
                try await Task.sleep(for: .milliseconds(20 + 12 * place))
                try suite.killProcess(of: Self.service, victim)
                let begin = ContinuousClock.now
                try await pressed.value
                sent.append(key)
                let received = await call.receives(digits: sent, within: .seconds(12))
                let heard = await call.report.sound.digits
                #expect(received, "\(sent), not \(heard)")
                longest = max(longest, ContinuousClock.now - begin)
                try suite.supervise(Self.service, victim)
                try await suite.waitUntilBack(Self.service, victim, insteadOf: old)
            }
            suite.note("one of two FlowManagers killed: a step with three requests and a key sent took \(longest) at most")
            let seen = try await application.seen()
            for kind in ["post", "hook", "waited"] {
                let counts = Self.keys.indices.enumerated().map { seen["/\(kind)/\($0.offset)"] ?? 0 }
                #expect(counts.allSatisfy { $0 <= 1 }, "\(kind): \(counts)")
                // What was under way may be given up; of a kill in four that is much.
                #expect(counts.reduce(0, +) >= Self.keys.count * 3 / 4, "\(kind): \(counts)")
            }
            try await call.hangup()
        }
    }
}
