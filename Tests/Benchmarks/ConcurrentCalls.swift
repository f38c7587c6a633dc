import Deadlines
import Phone

/// Many two-party calls at once, with sound both ways: is every packet heard?
struct ConcurrentCalls {
    let settings: Settings
    var calls = 200
    /// New calls in a second while the number rises.
    var rate = 20
    var seconds = 20

    func run() async throws -> [Figure] {
        try await run { lines, placed, failures in
            for line in lines { await line.forgetWhatWasHeard() }
            try await Task.sleep(for: .seconds(seconds))
            var reports: [CallReport] = []
            for line in lines { reports += await line.reports.filter { $0.phase == .answered } }
            return [figure(reports, placed, failures)]
        }
    }

    /// Measures while all calls are up: given the lines, the number of calls, and what went wrong.
    func run(_ measure: ([PhoneLine], Int, [String]) async throws -> [Figure]) async throws -> [Figure] {
        // A line of its own on each loop for both sides, so that the phones use both processors, too.
        let loops = [PhoneLoops.next(), PhoneLoops.next()]
        let callees = ["1002", "1003"]
        let lines = (
            callers: try loops.map { PhoneLine(try settings.phone("1001", tone: 440), on: $0) },
            callees: try zip(callees, loops).map { PhoneLine(try settings.phone($0, tone: 620), on: $1) }
        )
        for line in lines.callees { try await line.register() }
        let (placed, failures) = await place(lines.callers, callees)
        let all = lines.callers + lines.callees
        let figures = try await measure(all, placed.count, failures)
        await hangUp(placed)
        for line in all { await line.close() }
        return figures
    }

    private func place(_ callers: [PhoneLine], _ callees: [String]) async -> ([PhoneCall], [String]) {
        await withTaskGroup(of: Result<PhoneCall, PhoneError>.self) { group in
            let start = ContinuousClock.now
            for number in 0..<calls {
                group.addTask {
                    try? await Task.sleep(until: start + .nanoseconds(number * 1_000_000_000 / rate))
                    do {
                        let call = try await callers[number % callers.count].call(callees[number / callers.count % callees.count])
                        try await call.answered(within: .seconds(30))
                        return .success(call)
                    } catch {
                        return .failure(error as? PhoneError ?? .unreachable("\(error)"))
                    }
                }
            }
            var (placed, failures) = ([PhoneCall](), [String]())
            for await result in group {
                switch result {
                case .success(let call): placed.append(call)
                case .failure(let error): failures.append(error.description)
                }
            }
            return (placed, failures)
        }
    }

    private func hangUp(_ placed: [PhoneCall]) async {
        await withDiscardingTaskGroup { group in
            let start = ContinuousClock.now
            for (number, call) in placed.enumerated() {
                group.addTask {
                    try? await Task.sleep(until: start + .nanoseconds(number * 1_000_000_000 / (2 * rate)))
                    try? await call.hangup()
                }
            }
        }
    }

    private func figure(_ reports: [CallReport], _ placed: Int, _ failures: [String]) -> Figure {
        let received = reports.reduce(0) { $0 + $1.sound.packetsReceived }
        let lost = reports.reduce(0) { $0 + $1.sound.lost }
        let silent = reports.count { $0.sound.level < -35 }
        let gap = reports.map(\.sound.longestGap).max() ?? .zero
        var value = "\(lost) lost of \(received + lost) packets, longest gap \(Sample.milliseconds(gap, 0)) ms"
        if silent > 0 { value += ", \(silent) of \(reports.count) parties heard nothing" }
        if let first = failures.first { value += "; \(failures.count) calls failed: \(first)" }
        return Figure(subject: "\(placed) concurrent two-party calls, sound both ways for \(seconds) s", value: value, target: "0 lost")
    }
}
