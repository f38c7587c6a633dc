import Deadlines
import Flow
import Foundation
import Phone
import Suite
import Testing

/// K6: whoever is started again finds every flow where it was.
@Suite("FlowManager dies in the middle of steps (RELIABILITY K6)", .serialized, .timeLimit(.minutes(5)))
struct FlowDeathTests {
    private static let service = "FlowManager"
    private static let keys = "12345678"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("the flow goes on as soon as it is back; no key is lost or counted twice, no step is taken twice")
    func keysAreKept() async throws {
        var actions: [JSONValue] = [["id": "answer", "type": "answer"]]
        for (place, _) in Self.keys.enumerated() {
            actions.append(["id": .string("in\(place)"), "type": "digits_receive", "option": ["duration": 20_000, "length": 1]])
            actions.append([
                "id": .string("out\(place)"), "type": "digits_send",
                "option": ["digits": "${voipbin.call.digits}", "duration": 100, "interval": 50],
            ])
            // What is sent next is the next key alone.
            actions.append(["id": .string("clear\(place)"), "type": "variable_set", "option": ["key": "voipbin.call.digits", "value": ""]])
        }
        actions.append(["id": "end", "type": "echo", "option": ["duration": 60_000]])
        let number = try await suite.makeNumber(running: .array(actions))
        try await withPhones(1, in: suite) { phones in
            let call = try await phones[0].call(number.number)
            try await call.answered()
            var longest = Duration.zero
            var sent = ""
            for (place, key) in Self.keys.enumerated() {
                let isKilled = place % 3 == 1
                let old = try suite.pid(of: Self.service)
                let begin = ContinuousClock.now
                // The key and the death of who is to be told of it.
                let pressed = Task { try await call.send(digits: String(key)) }
                if isKilled { try suite.killProcess(of: Self.service) }
                try await pressed.value
                sent.append(key)
                let answer = sent
                let received = await call.receives(digits: answer, within: .seconds(10))
                let heard = await call.report.sound.digits
                #expect(received, "\(answer), not \(heard)")
                if isKilled {
                    longest = max(longest, ContinuousClock.now - begin)
                    try await suite.waitUntilBack(Self.service, insteadOf: old)
                }
            }
            print("FlowManager killed: a step took \(longest) at most, its restart included")
            let id = "call_" + (try await suite.session(from: phones[0].number)).dropFirst("sess_".count)
            let run = "run_" + id.dropFirst("call_".count)
            try await call.hangup()
            try await suite.eventually("the run is over") { try await suite.request("GET", "/v1/runs/\(run)").body["status"]?.string != "running" }
        }
    }
}
