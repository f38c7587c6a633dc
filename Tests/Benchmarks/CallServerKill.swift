import Deadlines
import Glibc
import Phone
import Threads

/// Calls with sound both ways, and one of two call servers is killed: is a call dropped, is a packet lost, and how long does a request
/// inside a call wait that comes at that moment? Wants `make up SCALE="CallServer=2"`.
struct CallServerKill {
    let settings: Settings
    var calls = 100
    var rate = 10

    private struct Held {
        var waits: [Interval] = []
        var failures: [String] = []
    }

    func run() async throws -> [Figure] {
        var concurrent = ConcurrentCalls(settings: settings)
        (concurrent.calls, concurrent.rate) = (calls, rate)
        return try await concurrent.run { lines, placed, failures in
            let servers = Processes.named("CallServer")
            guard servers.count > 1, let victim = servers.last else {
                throw Settings.Missing(text: "there is one CallServer: make up SCALE=\"CallServer=2\"")
            }
            let quiet = await figure("re-INVITEs of \(placed.count) calls at once", "", lines, placed, failures) {}
            let killed = await figure(
                "the same at the kill -9 of one of two call servers", "0 dropped, 0 lost, gap <= 40 ms, 2 s (500 ms)", lines, placed, failures
            ) { kill(victim, SIGKILL) }
            return [quiet, killed]
        }
    }

    private func figure(
        _ subject: String, _ target: String, _ lines: [PhoneLine], _ placed: [PhoneCall], _ failures: [String], _ event: () -> Void
    ) async -> Figure {
        for line in lines { await line.forgetWhatWasHeard() }
        event()
        let held = await hold(placed)
        try? await Task.sleep(for: .seconds(2))
        var sounds: [CallReport] = []
        for line in lines { sounds += await line.reports.filter { $0.phase == .answered } }
        let (gaps, waits) = (Sample(sounds.map { $0.sound.longestGap + .milliseconds(-20) }), Sample(held.waits))
        var value = "\(placed.count * 2 - sounds.count) ends dropped, \(sounds.reduce(0) { $0 + $1.sound.lost }) packets lost, gap \(gaps.text(decimals: 0)); answered \(waits.text(decimals: 0))"
        for problem in [failures.first, held.failures.first].compactMap({ $0 }) { value += "; failed: \(problem)" }
        return Figure(subject: subject, value: value, target: target)
    }

    /// Every caller's phone says anew that it sends and hears: nothing stops, and the answer shows who has the call.
    private func hold(_ placed: [PhoneCall]) async -> Held {
        await withTaskGroup(of: Result<Interval, PhoneError>.self) { group in
            for call in placed {
                group.addTask {
                    let begin = MonotonicClock.now()
                    do {
                        try await call.resume()
                        return .success(MonotonicClock.now() - begin)
                    } catch {
                        return .failure(error as? PhoneError ?? .unreachable("\(error)"))
                    }
                }
            }
            var held = Held()
            for await result in group {
                switch result {
                case .success(let wait): held.waits.append(wait)
                case .failure(let error): held.failures.append(error.description)
                }
            }
            return held
        }
    }
}
