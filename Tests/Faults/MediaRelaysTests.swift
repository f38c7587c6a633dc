import Deadlines
import Foundation
import FoundationNetworking
import Phone
import Suite
import Testing

/// The suite runs with `SCALE="MediaRelay=2"` and a drain of five seconds.
@Suite("One of two media relays leaves", .serialized, .timeLimit(.minutes(5)))
struct MediaRelaysTests {
    private static let pairs = 10

    let suite: RunningSuite

    init() throws { suite = try RunningSuite() }

    @Test("told to stop: twenty legs go over to the other by re-INVITE and are heard all the while; it says whom it waits for, and ends early")
    func drains() async throws {
        try await withPairs { calls in
            let old = try suite.pid(of: "MediaRelay", 2)
            let moved = try await moves()
            #expect(try await sessions(2) > 0, "some are with the one that leaves")
            for call in calls { await call.forgetWhatWasHeard() }
            try suite.leaveAlone("MediaRelay", 2)
            defer { try? suite.supervise("MediaRelay", 2) }
            let leaving = try await sessions(2)
            try suite.terminateProcess(of: "MediaRelay", 2)
            try await suite.untilDraining("MediaRelay", 2)
            try await suite.eventually("it says whom it waits for") {
                let told = try await health(2)
                return told.contains("\"waiting_for\":[\"sess_") && told.contains(" of call_")
            }
            try await suite.eventually("the relay ends, with nobody left") { kill(old, 0) != 0 || isGone(old) }
            #expect(try await moves() - moved >= leaving)
            try await judge(calls, gap: 1)
            try suite.supervise("MediaRelay", 2)
            try await suite.waitUntilBack("MediaRelay", 2, insteadOf: old, within: .seconds(30))
        }
    }

    @Test("gone for good: after some seconds its calls are offered the other, and are heard again")
    func dies() async throws {
        try await withPairs { calls in
            let old = try suite.pid(of: "MediaRelay", 2)
            #expect(try await sessions(2) > 0, "some are with the one that dies")
            try suite.leaveAlone("MediaRelay", 2)
            defer { try? suite.supervise("MediaRelay", 2) }
            let moved = try await moves()
            let leaving = try await sessions(2)
            // Neither of the two alone would be its end: the other goes on.
            try suite.killProcess(of: "MediaRelay", 2)
            try suite.killWorker(of: "MediaRelay", 2)
            try await suite.eventually("all have moved", within: .seconds(20)) { try await moves() - moved >= leaving }
            for call in calls { await call.forgetWhatWasHeard() }
            try await Task.sleep(for: .seconds(1))
            try await judge(calls, gap: 1)
            try suite.supervise("MediaRelay", 2)
            try await suite.waitUntilBack("MediaRelay", 2, insteadOf: old, within: .seconds(30))
        }
    }

    // MARK: Calls

    private func withPairs(_ body: ([PhoneCall]) async throws -> Void) async throws {
        var lines: [PhoneLine] = []
        var calls: [PhoneCall] = []
        for pair in 0..<Self.pairs {
            for tone in [440, 620] {
                let account = try await suite.makeAccount()
                var settings = PhoneSettings(number: account.number, domain: suite.domain, password: account.password, proxy: suite.sip)
                settings.tone = tone
                let line = PhoneLine(settings)
                try await line.register()
                lines.append(line)
            }
            let (outgoing, incoming) = try await connect(lines[2 * pair], lines[2 * pair + 1])
            calls += [outgoing, incoming]
        }
        for (index, call) in calls.enumerated() { #expect(await call.hears(index % 2 == 0 ? 620 : 440)) }
        do {
            try await body(calls)
        } catch {
            for line in lines { await line.close() }
            throw error
        }
        for line in lines { await line.close() }
    }

    /// All are heard now and were heard before; what a person does with a call can still be done.
    private func judge(_ calls: [PhoneCall], gap limit: Double) async throws {
        var longest = 0.0
        for (index, call) in calls.enumerated() {
            #expect(await call.hears(index % 2 == 0 ? 620 : 440), "call \(index)")
            let gap = await call.report.sound.longestGap.seconds
            longest = max(longest, gap)
            #expect(gap < limit, "call \(index)")
        }
        try "longest gap of a move: \(Int(longest * 1000)) ms\n".write(toFile: "\(suite.folder)/moves.txt", atomically: true, encoding: .utf8)
        for index in stride(from: 0, to: calls.count, by: 2) {
            try await calls[index].hold()
            try await calls[index].resume()
            try await calls[index + 1].hangup()
            #expect(try await calls[index].ended() == .hungUpThere)
        }
    }

    private func moves() async throws -> Double { try await suite.metric("tandem_call_media_moves_total", of: "CallServer") }

    private func sessions(_ instance: Int) async throws -> Double {
        try await suite.metric("tandem_relay_sessions", of: "MediaRelay", instance)
    }

    private func health(_ instance: Int) async throws -> String {
        let url = try suite.adminURL(of: "MediaRelay", instance, "/healthz")
        return String(decoding: try await URLSession.shared.data(for: URLRequest(url: url, timeoutInterval: 5)).0, as: UTF8.self)
    }

    /// A child that nobody has waited for yet: its supervisor stands still.
    private func isGone(_ pid: Int32) -> Bool {
        let line = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
        return line.isEmpty
    }
}
