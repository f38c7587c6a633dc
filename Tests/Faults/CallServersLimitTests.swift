import Flow
import Phone
import Suite
import Testing

/// The suite runs with `SCALE="CallServer=2"`.
@Suite("Limits on calls over two call servers", .serialized, .timeLimit(.minutes(3)))
struct CallServersLimitTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("both count together; calls of one that was killed count on, once, with who took them over, and free their places when they end")
    func takenOver() async throws {
        let number = try await suite.makeNumber(running: [["type": "answer"], ["type": "sleep", "option": ["duration": 120_000]]]).number
        let account = try await suite.makeAccount()
        let customer = try #require(try await suite.request("GET", "/v1/extensions/\(account.id)").body["customer_id"]?.string)
        let bootstrap = try suite.bootstrapKey()
        let made = try await suite.request(
            "POST", "/v1/limits?customer_id=\(customer)", ["scope": "destination", "target": .string(number), "concurrent_calls": 8], key: bootstrap)
        let id = try #require(made.body["id"]?.string)
        func current() async throws -> Int64? { try await suite.request("GET", "/v1/limits/\(id)").body["current_calls"]?.integer }
        try await withPhones(1, in: suite) { phones in
            func busy() async throws -> Bool {
                do {
                    let call = try await phones[0].call(number)
                    try await call.answered()
                    return false
                } catch PhoneError.refused(_, 486, _) { return true }
            }
            func begun(_ instance: Int) async throws -> Double { try await suite.metric("tandem_call_legs_total", of: "CallServer", instance) }
            var calls: [PhoneCall] = []
            for _ in 0..<6 {
                let before = (try await begun(1), try await begun(2))
                for _ in 0..<8 {
                    let call = try await phones[0].call(number)
                    try await call.answered()
                    calls.append(call)
                }
                if try await begun(1) > before.0, try await begun(2) > before.1 { break }
                // All of eight went to the same: once in 128 times.
                for call in calls { try await call.hangup() }
                calls = []
            }
            try #require(calls.count == 8, "both servers have some")
            #expect(try await busy())
            #expect(try await current() == 8)
            let old = try suite.pid(of: "CallServer", 2)
            try suite.leaveAlone("CallServer", 2)
            defer { try? suite.supervise("CallServer", 2) }
            try suite.killProcess(of: "CallServer", 2)
            // Longer than the leases of calls, and than those of what is counted.
            for _ in 0..<26 {
                try await Task.sleep(for: .seconds(1))
                let now = try await current()
                #expect(now == 8)
            }
            #expect(try await busy())
            for call in calls { try await call.hangup() }
            try await suite.eventually("all places are free") { try await current() == 0 }
            #expect(try await busy() == false)
            try suite.supervise("CallServer", 2)
            try await suite.waitUntilBack("CallServer", 2, insteadOf: old)
        }
        _ = try await suite.request("DELETE", "/v1/limits/\(id)?customer_id=\(customer)", key: bootstrap)
    }
}
