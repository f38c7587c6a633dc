import Deadlines
import Phone

/// How long it takes from the caller's INVITE to the 200 it receives, the callee answering at once, at a steady rate.
struct CallSetup {
    let settings: Settings
    var rate = 10
    var seconds = 20

    func run() async throws -> [Figure] {
        let caller = PhoneLine(try settings.phone("1001", tone: 440))
        let callee = PhoneLine(try settings.phone("1002", tone: 620))
        try await callee.register()
        // One call ahead, so that what is loaded lazily is not measured.
        _ = await place(caller)
        var times: [Interval] = []
        var failures: [String] = []
        let before = Processes.times(of: Processes.suite)
        await withTaskGroup(of: Result<Interval, PhoneError>.self) { group in
            let start = ContinuousClock.now
            for number in 0..<rate * seconds {
                group.addTask {
                    try? await Task.sleep(until: start + .nanoseconds(number * 1_000_000_000 / rate))
                    // A phone that has had thousands of calls would look for each new message's among them all.
                    if number % 100 == 0 { await callee.forgetEndedCalls() }
                    return await place(caller)
                }
            }
            for await result in group {
                switch result {
                case .success(let time): times.append(time)
                case .failure(let error): failures.append(error.description)
                }
            }
        }
        let used = Processes.times(of: Processes.suite)
        await caller.close()
        await callee.close()
        let sample = Sample(times)
        let failed = failures.isEmpty ? "" : "; \(failures.count) failed: \(failures[0])"
        return [
            Figure(
                subject: "call set-up, INVITE to 200: \(sample.count) calls at \(rate)/s", value: sample.text(decimals: 1) + failed,
                target: "median <= 15 ms, p95 <= 40 ms"),
            Figure(subject: "processor time of the whole suite for each", value: cost(used, before), target: "<= 6 ms"),
        ]
    }

    private func cost(_ used: [String: Double], _ before: [String: Double]) -> String {
        let each = Processes.suite.map { ($0, ((used[$0] ?? 0) - (before[$0] ?? 0)) / Double(rate * seconds)) }
        func text(_ milliseconds: Double) -> String { "\((milliseconds * 100).rounded() / 100)" }
        return "\(text(each.reduce(0) { $0 + $1.1 })) ms: " + each.filter { $0.1 >= 0.005 }.map { "\($0.0) \(text($0.1))" }.joined(separator: ", ")
    }

    /// One call that is held for half a second; its set-up time. On the phone's own thread: a hundred calls a second are no reason to wake others.
    private func place(_ caller: isolated PhoneLine) async -> Result<Interval, PhoneError> {
        do {
            let call = try await caller.call("1002")
            try await call.answered(within: .seconds(30))
            let time = await call.setupTime ?? .zero
            try? await Task.sleep(for: .milliseconds(500))
            try await call.hangup()
            await call.forget()
            return .success(time)
        } catch {
            return .failure(error as? PhoneError ?? .unreachable("\(error)"))
        }
    }
}
