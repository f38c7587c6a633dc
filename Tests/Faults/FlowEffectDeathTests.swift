import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// What a flow does to the world outside its call, when the FlowManager that does it dies meanwhile.
@Suite("FlowManager dies between a step and what it does outside (RELIABILITY K6)", .serialized, .timeLimit(.minutes(3)))
struct FlowEffectDeathTests {
    private static let service = "FlowManager"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("a webhook that nobody waits for and that was refused is tried by whoever is there next, under the same id; one that was under way is not sent again")
    func webhooks() async throws {
        let application = try await FlowApplication(suite)
        defer { application.stop() }
        func hook(_ path: String) -> JSONValue {
            ["id": .string(path), "type": "webhook_send", "option": ["uri": .string("\(application.address)/\(path)/death"), "data": "{}"]]
        }
        // One that is refused at first and waits for its next attempt, and one that is under way, when it happens.
        let number = try await suite.makeNumber(running: [
            ["type": "answer"], hook("flaky"), hook("slow"), ["id": "tone", "type": "play_tone", "option": ["frequency": 800, "duration": 60_000]],
        ])
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            try await suite.eventually("both are sent") {
                let seen = try await application.seen()
                return seen["/flaky/death"] == 1 && seen["/slow/death"] == 1
            }
            let old = try suite.pid(of: Self.service)
            try suite.killProcess(of: Self.service)
            try await suite.waitUntilBack(Self.service, insteadOf: old)
            try await suite.eventually("the one is delivered, the other given up", within: .seconds(30)) {
                let (delivered, dead) = (
                    try await suite.metric("tandem_flow_webhooks_delivered_total", of: Self.service),
                    try await suite.metric("tandem_flow_webhooks_dead_total", of: Self.service))
                return delivered >= 1 && dead >= 1
            }
            let seen = try await application.seen()
            #expect(seen["/flaky/death"] == 2 && seen["/flaky/death#ids"] == 1 && seen["/slow/death"] == 1 && seen["unsigned"] == 0)
            #expect(await call.hears(800), "the call went on")
            try await call.hangup()
        }
    }

    @Test("a call that a flow makes is made once, whenever its maker dies")
    func calls() async throws {
        let rounds = 4
        try await withPhones(2, in: suite) { phones in
            await phones[1].setIncoming(.answer(after: .zero))
            var actions: [JSONValue] = [["type": "answer"]]
            for round in 0..<rounds {
                actions.append(["id": .string("in\(round)"), "type": "digits_receive", "option": ["duration": 30_000, "length": 1]])
                actions.append([
                    "id": .string("out\(round)"), "type": "call",
                    "option": ["destinations": [["type": "extension", "target": .string(phones[1].number)]], "actions": [["type": "sleep", "option": ["duration": 60_000]]], "chained": true],
                ])
                actions.append(["id": .string("told\(round)"), "type": "digits_send", "option": ["digits": .string(String(round + 1)), "duration": 100, "interval": 50]])
            }
            actions.append(["id": "end", "type": "sleep", "option": ["duration": 60_000]])
            let number = try await suite.makeNumber(running: .array(actions))
            let call = try await phones[0].call(number.number)
            try await call.answered()
            var told = ""
            var made: [PhoneCall] = []
            for round in 0..<rounds {
                let old = try suite.pid(of: Self.service)
                let pressed = Task { try await call.send(digits: "5") }
                // At another moment of the step each time.
                try await Task.sleep(for: .milliseconds(170 + 15 * round))
                try suite.killProcess(of: Self.service)
                try await pressed.value
                told.append(String(round + 1))
                #expect(await call.receives(digits: told, within: .seconds(12)))
                made.append(try await phones[1].incomingCall())
                try await suite.waitUntilBack(Self.service, insteadOf: old)
            }
            let found = try await suite.request("GET", "/v1/calls?limit=100&to=\(phones[1].number)").body["data"]?.array ?? []
            #expect(found.count == rounds, "one each")
            try await call.hangup()
            for one in made { #expect(try await one.ended(within: .seconds(8)) == .hungUpThere, "chained") }
        }
    }
}
