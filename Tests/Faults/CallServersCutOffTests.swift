import Deadlines
import Foundation
import Phone
import Suite
import Testing

/// The second of two has Redis at the end of a line that is cut; the bus and the phones it reaches as ever.
@Suite("CallServers: one of two is cut off from Redis alone (RELIABILITY K9, D6)", .serialized, .timeLimit(.minutes(3)))
struct CallServersCutOffTests {
    private static let service = "CallServer"
    private static let name = "TANDEM_REDIS_URL"

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("its calls go on as they are; taken over while it stands still, they are not its own any more, and it learns that from who has them")
    func cutOff() async throws {
        let url = try suite.setting(Self.name, of: Self.service, 2)
        let (line, changed) = try Self.line(to: url)
        try await restart(with: changed)
        do {
            try await cutOff(line)
        } catch {
            try await restart(with: url)
            throw error
        }
        try await restart(with: url)
    }

    private func cutOff(_ line: CuttableLine) async throws {
        try await withPhones(4, in: suite) { phones in
            let calls = [try await onSecond(phones[0], phones[1]), try await onSecond(phones[2], phones[3])]
            line.cut()
            // Nobody takes them: it is alive.
            for (outgoing, incoming) in calls {
                try await outgoing.hold()
                try await outgoing.resume()
                for call in [outgoing, incoming] {
                    #expect(await call.hearsSomething())
                    await call.forgetWhatWasHeard()
                }
            }
            try await Task.sleep(for: .seconds(4))
            #expect(try await suite.metric("tandem_call_legs_active", of: Self.service, 2) == 4)
            line.restore()
            // What it did meanwhile is written down now.
            try await Task.sleep(for: .seconds(3))
            line.cut()
            let processes = try suite.processes(of: Self.service, 2)
            for process in processes { kill(process, SIGSTOP) }
            defer { for process in processes { kill(process, SIGCONT) } }
            try await calls[0].0.hold()
            try await calls[0].0.resume()
            try await suite.eventually("all legs are the other's") { try await suite.metric("tandem_call_legs_active", of: Self.service, 1) >= 4 }
            for process in processes { kill(process, SIGCONT) }
            let continued = ContinuousClock.now
            try await suite.eventually("it has dropped them, still without Redis") {
                try await suite.metric("tandem_call_legs_active", of: Self.service, 2) == 0
            }
            print("continued without Redis: its calls dropped after \(ContinuousClock.now - continued)")
            #expect(try await suite.metric("tandem_call_fenced_total", of: Self.service, 2) >= 4)
            try await Task.sleep(for: .seconds(2))
            for (outgoing, incoming) in calls {
                for call in [outgoing, incoming] {
                    let report = await call.report
                    #expect(report.phase == .answered && report.sound.lost == 0 && report.sound.longestGap < .milliseconds(400))
                }
            }
            line.restore()
            try await calls[0].1.hangup()
            #expect(try await calls[0].0.ended() == .hungUpThere)
            try await calls[1].0.hangup()
            #expect(try await calls[1].1.ended() == .hungUpThere)
        }
    }

    private static func line(to url: String) throws -> (CuttableLine, String) {
        var parts = try #require(URLComponents(string: url))
        let port = try #require(parts.port.flatMap { UInt16(exactly: $0) })
        let line = try CuttableLine(to: port)
        parts.port = Int(line.port)
        return (line, try #require(parts.string))
    }

    private func restart(with url: String) async throws {
        try suite.change(Self.name, to: url, of: Self.service, 2)
        let old = try suite.pid(of: Self.service, 2)
        try suite.killProcess(of: Self.service, 2)
        try await suite.waitUntilBack(Self.service, 2, insteadOf: old, within: .seconds(30))
        try await suite.eventually("both call servers serve") {
            try await suite.metric("tandem_edge_servers_alive", "kind=\"call\"", of: "EdgeProxy") == 2
        }
    }

    /// Rendezvous sends half of all calls there; the others are ended again.
    private func onSecond(_ caller: PhoneLine, _ callee: PhoneLine) async throws -> (PhoneCall, PhoneCall) {
        for _ in 0..<40 {
            let before = try await suite.metric("tandem_call_legs_total", of: Self.service, 2)
            let (outgoing, incoming) = try await connect(caller, callee)
            if try await suite.metric("tandem_call_legs_total", of: Self.service, 2) > before { return (outgoing, incoming) }
            try await outgoing.hangup()
            _ = try await incoming.ended()
        }
        throw PhoneError.timedOut("a call of the second server")
    }
}
