import Bus
import Contracts
import Deadlines
import Logging
import Threads

/// A request over the bus and its reply, one at a time, between two connections as two services have them.
struct BusRoundTrip {
    /// Served by this program alone: its own queue never mixes with those of the running services.
    private struct Echo: Command {
        struct Reply: Codable, Sendable {
            var text: String
        }

        static let name = "benchmark.echo"
        static let service = ServiceName.apiGateway
        var text: String
    }

    let url: String
    var requests = 5_000

    func run() async throws -> [Figure] {
        guard let settings = Bus.Settings(url: url) else { throw Settings.Missing(text: "TANDEM_AMQP_URL is not amqp://user:password@host:port/vhost") }
        var logger = Logger(label: "benchmark")
        logger.logLevel = .warning
        let instance = "benchmark-\(UInt32.random(in: .min ... .max))"
        let server = Bus(settings: settings, service: .apiGateway, instance: instance, logger: logger)
        let client = Bus(settings: settings, service: .apiGateway, instance: instance + "-client", logger: logger)
        server.serve(immediately: Echo.self) { command, _, respond in respond(.success(Echo.Reply(text: command.text))) }
        await server.start()
        await client.start()
        let command = Echo(text: String(repeating: "x", count: 300))
        var times: [Interval] = []
        for number in 0..<requests + 200 {
            let start = MonotonicClock.now()
            _ = try await client.call(command, to: .instance(instance))
            // The first ones warm up connections and caches.
            if number >= 200 { times.append(MonotonicClock.now() - start) }
        }
        await client.stop()
        await server.stop()
        return [
            Figure(
                subject: "bus RPC between two services, one at a time: \(requests)", value: Sample(times).text(decimals: 3),
                target: "median <= 0.6 ms")
        ]
    }
}
