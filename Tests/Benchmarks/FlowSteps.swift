import Contracts
import Deadlines
import Flow
import Phone
import Threads

/// How long a step of a flow takes, from the outcome of an action to the next action: calls that all walk round a circle of short actions of
/// one length. Told by FlowManager's metrics (the difference of the measured time), and by the timelines of the calls, which have the way there and back, too.
struct FlowSteps {
    private static let metrics = ["tandem_flow_step_seconds", "tandem_flow_step_store_seconds"]
    /// A run performs a thousand actions.
    private static let mostSteps = 900
    /// Ringing and answering, before and behind the measured time.
    private static let margin = 10
    private static let mostTimelines = 20

    let settings: Settings
    let api: SuiteAPI
    /// Steps a second, of all calls.
    var rate = 200
    var seconds = 20
    /// So many that each has some milliseconds for an action when not given.
    var calls: Int?

    private var length: Int { max(200, (seconds + 2 * Self.margin) * 1000 / Self.mostSteps, (calls ?? 0) * 1000 / rate) }
    private var count: Int { calls ?? max(1, rate * length / 1000) }

    func run() async throws -> [Figure] {
        guard let callee = try? settings.phone("1002", tone: 620) else { throw Settings.Missing(text: "set TANDEM_EXT_1002_PASSWORD") }
        let line = PhoneLine(callee)
        try await line.register()
        let placed = try await place()
        let patience = ContinuousClock.now + .seconds(20)
        while await line.relays.count < placed.count, ContinuousClock.now < patience { try await Task.sleep(for: .milliseconds(100)) }
        try await Task.sleep(for: .seconds(2))
        let (begin, before) = (Self.now(), try await shown())
        let used = Processes.times(of: Processes.suite)
        try await Task.sleep(for: .seconds(seconds))
        let (end, after) = (Self.now(), try await shown())
        let spent = Processes.times(of: Processes.suite)
        let answered = await line.relays.count
        let waits = try await timelines(placed, from: begin, to: end)
        for id in placed { _ = try? await api.post("/v1/calls/\(id)/actions/hangup", [:]) }
        await line.close()
        let steps = zip(after, before).map { $0 - $1 }
        let reached = (steps[0].count / Double(seconds)).rounded()
        let each = Processes.suite.reduce(0) { $0 + (spent[$1] ?? 0) - (used[$1] ?? 0) } / max(1, steps[0].count)
        return [
            Figure(
                subject: "flow step in FlowManager, \(Int(reached)) of \(rate)/s, \(answered) calls", value: steps[0].text,
                target: "p50 <= 3 ms, p95 <= 10 ms"),
            Figure(subject: "of it in the database's thread, waiting for it included", value: steps[1].text, target: "-"),
            Figure(subject: "outcome sent to next action at hand, by timelines", value: Self.text(waits), target: "p50 <= 3 ms, p95 <= 10 ms"),
            Figure(
                subject: "processor time of the whole suite for a step, with sound", value: "\((each * 100).rounded() / 100) ms",
                target: "-"),
        ]
    }

    /// A circle of actions of one length: a pause, a tone, a key.
    private var actions: JSONValue {
        let (length, most) = (Int64(length), Int64(Self.mostSteps))
        return [
            ["id": "pause", "type": "sleep", "option": ["duration": .integer(length)]],
            ["id": "tone", "type": "play_tone", "option": ["frequency": 440, "duration": .integer(length)]],
            ["id": "key", "type": "digits_send", "option": ["digits": "5", "duration": 100, "interval": .integer(min(length - 100, 5000))]],
            ["id": "again", "type": "goto", "option": ["target_id": "pause", "loop_count": .integer(most)]],
        ]
    }

    private func place() async throws -> [String] {
        var placed: [String] = []
        for _ in 0..<count {
            let call = try await api.post("/v1/calls", ["from": "1001", "to": "1002", "actions": actions])
            guard let id = call["id"]?.string else { throw SuiteAPI.Refused(description: "a call without an id") }
            placed.append(id)
            // One after the other, so that their steps do not all fall together.
            try await Task.sleep(for: .milliseconds(37))
        }
        return placed
    }

    /// Each metric, summed over all instances.
    private func shown() async throws -> [ShownHistogram] {
        let addresses = Processes.named("FlowManager").compactMap { Processes.environment("TANDEM_ADMIN_LISTEN", of: $0) }
        guard !addresses.isEmpty else { throw Settings.Missing(text: "no process FlowManager: is the suite up?") }
        var sums = Self.metrics.map { ShownHistogram($0, in: "") }
        for address in addresses {
            let text = try await SuiteAPI.metrics(at: address)
            sums = zip(Self.metrics, sums).map { ShownHistogram($0, in: text) + $1 }
        }
        return sums
    }

    private static func now() -> String { Timestamp(milliseconds: WallClock.milliseconds()).description }

    /// From `step N ... ends` to `step N+1 ... begins`, in microseconds, as the call server wrote it down.
    private func timelines(_ placed: [String], from begin: String, to end: String) async throws -> [Int] {
        var waits: [Int] = []
        for id in placed.prefix(Self.mostTimelines) {
            guard let entries = try await api.get("/v1/calls/\(id)/timeline")["data"]?.array else { continue }
            var last: (run: String, at: Int)?
            for entry in entries where entry["kind"] == "flow" {
                guard let time = entry["time"]?.string, let summary = entry["summary"]?.string, let run = entry["to"]?.string else { continue }
                if summary.hasPrefix("step "), summary.hasSuffix(" ends") {
                    last = time >= begin && time <= end ? (run, Self.microseconds(time)) : nil
                } else if summary.hasPrefix("step "), summary.hasSuffix(" begins"), let before = last, before.run == run {
                    // A day is long enough for a benchmark.
                    waits.append((Self.microseconds(time) - before.at + 86_400_000_000) % 86_400_000_000)
                    last = nil
                }
            }
        }
        return waits
    }

    /// Since midnight, of `2026-01-01T12:34:56.789012Z`.
    private static func microseconds(_ time: String) -> Int {
        let digits = time.utf8.dropFirst(11).compactMap { (48...57).contains($0) ? Int($0) - 48 : nil }
        guard digits.count == 12 else { return 0 }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
        return ((number(0..<2) * 60 + number(2..<4)) * 60 + number(4..<6)) * 1_000_000 + number(6..<12)
    }

    private static func text(_ waits: [Int]) -> String {
        let sample = Sample(waits.map { .microseconds($0) })
        guard sample.count > 0 else { return "no timeline has both times" }
        func milliseconds(_ fraction: Double) -> String { Sample.milliseconds(sample.percentile(fraction), 2) }
        return "p50 \(milliseconds(0.5)) ms, p95 \(milliseconds(0.95)) ms, p99 \(milliseconds(0.99)) ms, of \(sample.count)"
    }
}
