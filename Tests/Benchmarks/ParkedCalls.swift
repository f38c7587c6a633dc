import Addresses
import Phone

/// Calls that are up and in which nothing happens: what does a leg of one take of the CallServer's memory?
struct ParkedCalls {
    let settings: Settings
    var calls = 1000
    var rate = 50

    func run() async throws -> [Figure] {
        guard let server = Processes.named("CallServer").first else { throw Settings.Missing(text: "no process CallServer: is the suite up?") }
        var concurrent = ConcurrentCalls(settings: settings)
        // One call, and what is made once is there.
        (concurrent.calls, concurrent.rate) = (1, rate)
        let silent = SocketAddress(.loopbackIPv4, port: 9)
        _ = try await concurrent.run(soundAt: silent) { _, _, _ in [] }
        let before = Processes.memory(of: server)
        concurrent.calls = calls
        return try await concurrent.run(soundAt: silent) { _, placed, failures in
            let each = Double(Processes.memory(of: server) - before) / Double(2 * max(placed.count, 1)) / 1024
            let failed = failures.first.map { "; \(failures.count) failed: \($0)" } ?? ""
            return [Figure(subject: "memory of a parked call in CallServer, of \(2 * placed.count)", value: "\((each * 10).rounded() / 10) KiB" + failed, target: "<= 25 KiB")]
        }
    }
}
