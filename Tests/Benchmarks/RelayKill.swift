import Deadlines
import Glibc
import Phone

/// Calls with sound both ways while the relay's worker is killed again and again: how long is nothing heard, and what is lost?
struct RelayKill {
    let settings: Settings
    var calls = 50
    var rate = 20
    var kills = 5

    func run() async throws -> [Figure] {
        var concurrent = ConcurrentCalls(settings: settings)
        (concurrent.calls, concurrent.rate) = (calls, rate)
        return try await concurrent.run { lines, placed, failures in
            var (gaps, losses, dropped) = ([Interval](), 0, 0)
            for _ in 0..<kills {
                guard let worker = Processes.named("relay-worker").first else { throw Settings.Missing(text: "no process relay-worker: is the suite up, with TANDEM_RELAY_KEEPER=1?") }
                for line in lines { await line.forgetWhatWasHeard() }
                let before = await Self.lost(lines)
                try await Task.sleep(for: .milliseconds(Int.random(in: 1000...1500)))
                kill(worker, SIGKILL)
                try await Task.sleep(for: .seconds(3))
                let sounds = await Self.sounds(lines)
                gaps += sounds.map { $0.longestGap + .milliseconds(-20) }
                losses += await Self.lost(lines) - before
                dropped += sounds.count { $0.level < -35 }
            }
            let sample = Sample(gaps)
            var value = "gap \(sample.text(decimals: 0)); \(losses) packets lost in \(kills) kills"
            if dropped > 0 { value += "; \(dropped) parties heard nothing afterwards" }
            if let first = failures.first { value += "; \(failures.count) calls failed: \(first)" }
            return [Figure(subject: "kill -9 of the relay's worker under \(placed.count) calls", value: value, target: "gap <= 60 ms, 0 lost")]
        }
    }

    private static func sounds(_ lines: [PhoneLine]) async -> [SoundReport] {
        var sounds: [SoundReport] = []
        for line in lines { sounds += await line.reports.filter { $0.phase == .answered }.map(\.sound) }
        return sounds
    }

    private static func lost(_ lines: [PhoneLine]) async -> Int { await sounds(lines).reduce(0) { $0 + $1.lost } }
}
