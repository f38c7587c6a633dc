internal import Contracts
internal import Deadlines
internal import Telemetry
internal import Threads

/// How long answers are waited for, by the queue of the service that is asked.
enum RequestTimes {
    private static let histograms: [ServiceName: Histogram] = Dictionary(
        uniqueKeysWithValues: ServiceName.allCases.map { service in
            (
                service,
                Histogram(
                    "tandem_amqp_rpc_seconds", "from a request over the bus to its answer, or to the end of the wait for one",
                    labels: ["queue": service.rawValue])
            )
        })

    /// Found before the request goes out: its completion keeps it, so that an answer costs the clock and two additions.
    static func histogram(of service: ServiceName) -> Histogram? { histograms[service] }
}

extension Histogram {
    func observe(since began: Instant) { observe(nanoseconds: UInt64(max(0, (MonotonicClock.now() - began).nanoseconds))) }
}
