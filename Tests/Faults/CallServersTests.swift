import Foundation
import Phone
import Suite
import Testing

/// The suite runs with `SCALE="CallServer=2"` and a drain of 15 seconds.
@Suite("One of two call servers leaves", .serialized, .timeLimit(.minutes(5)))
struct CallServersTests {
    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("told to stop: its calls go on, with hold, resume and BYE, and new calls are begun by the other")
    func drains() async throws {
        try await withPhones(4, in: suite) { phones in
            let (outgoing, incoming) = try await callOnSecond(phones[0], phones[1])
            let old = try suite.pid(of: "CallServer", 2)
            try suite.leaveAlone("CallServer", 2)
            defer { try? suite.supervise("CallServer", 2) }
            try suite.terminateProcess(of: "CallServer", 2)
            try await suite.untilDraining("CallServer", 2)
            // The edges hear of it within a quarter of a second or so.
            try await Task.sleep(for: .seconds(1))
            let before = try await begun(2)
            for _ in 0..<8 { try await place(phones[2], phones[3]) }
            #expect(try await begun(2) == before)
            #expect(await outgoing.hears(620))
            try await outgoing.hold()
            try await outgoing.resume()
            #expect(await incoming.hears(440))
            try await incoming.hangup()
            #expect(try await outgoing.ended() == .hungUpThere)
            try suite.supervise("CallServer", 2)
            try await suite.waitUntilBack("CallServer", 2, insteadOf: old, within: .seconds(30))
            try await bothServe()
        }
    }

    @Test("killed: whoever calls then is answered, by the other, no later than its phone repeats the INVITE")
    func killed() async throws {
        try await withPhones(2, in: suite) { phones in
            _ = try await callOnSecond(phones[0], phones[1]).0.hangup()
            let old = try suite.pid(of: "CallServer", 2)
            try suite.leaveAlone("CallServer", 2)
            defer { try? suite.supervise("CallServer", 2) }
            let before = try await begun(1)
            try suite.killProcess(of: "CallServer", 2)
            for _ in 0..<12 { try await place(phones[0], phones[1]) }
            #expect(try await begun(1) - before >= 24)
            try suite.supervise("CallServer", 2)
            try await suite.waitUntilBack("CallServer", 2, insteadOf: old)
            try await bothServe()
        }
    }

    /// The edge has heard of both.
    private func bothServe() async throws {
        try await suite.eventually("both call servers serve") {
            _ = try await begun(2)
            return try await suite.metric("tandem_edge_servers_alive", "kind=\"call\"", of: "EdgeProxy") == 2
        }
    }

    /// Rendezvous sends half of all calls there.
    private func callOnSecond(_ caller: PhoneLine, _ callee: PhoneLine) async throws -> (PhoneCall, PhoneCall) {
        for _ in 0..<30 {
            let before = try await begun(2)
            let (outgoing, incoming) = try await connect(caller, callee)
            if try await begun(2) > before { return (outgoing, incoming) }
            try await outgoing.hangup()
            _ = try await incoming.ended()
        }
        throw PhoneError.timedOut("a call of the second server")
    }

    private func place(_ caller: PhoneLine, _ callee: PhoneLine) async throws {
        let (outgoing, incoming) = try await connect(caller, callee)
        try await outgoing.hangup()
        _ = try await incoming.ended()
    }

    /// How many legs the instance has begun.
    private func begun(_ instance: Int) async throws -> Double {
        try await suite.metric("tandem_call_legs_total", of: "CallServer", instance)
    }
}
