import Deadlines
import Phone
import Suite
import Testing

/// One at a time: each kills a service that the others need.
@Suite("A process dies under a live call", .serialized, .timeLimit(.minutes(3)))
struct DeathTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test(
        "sound goes on, without a gap and without a lost packet, and new calls work again",
        arguments: ["CallServer", "FlowManager", "Registrar", "EdgeProxy", "APIGateway"])
    func soundGoesOn(service: String) async throws {
        try await withPhones(2, in: suite) { phones in
            let (caller, callee) = try await connect(phones[0], phones[1])
            #expect(await caller.hears(620))
            #expect(await callee.hears(440))
            let before = await caller.report.sound
            let old = try suite.pid(of: service)
            try suite.killProcess(of: service)
            try await Task.sleep(for: .seconds(2))
            #expect(await caller.heard(frequency: 620))
            #expect(await callee.heard(frequency: 440))
            let after = await caller.report.sound
            #expect(after.lost == before.lost)
            #expect(after.packetsReceived - before.packetsReceived > 85, "two seconds are a hundred packets")
            try await suite.waitUntilBack(service, insteadOf: old)
        }
        try await newCallWorks()
    }

    private func newCallWorks() async throws {
        var last: (any Error)?
        for _ in 0..<20 {
            do {
                return try await withPhones(2, in: suite) { phones in
                    let (caller, callee) = try await connect(phones[0], phones[1])
                    #expect(await caller.hears(620))
                    try await caller.hangup()
                    _ = try await callee.ended()
                }
            } catch {
                last = error
                try await Task.sleep(for: .milliseconds(500))
            }
        }
        throw last ?? PhoneError.timedOut("a new call")
    }
}
