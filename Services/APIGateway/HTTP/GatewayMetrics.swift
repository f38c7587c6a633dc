import Telemetry

/// Requests by the class of their answer, and how long they took.
enum GatewayMetrics {
    private static let help = "Requests to the API by class of status."
    private static let counters = [1, 2, 3, 4, 5].map { Counter("tandem_api_requests_total", help, labels: ["class": "\($0)xx"]) }
    private static let seconds = Histogram("tandem_api_request_seconds", "From the head of a request to its answer.")

    static func count(status: Int, nanoseconds: UInt64) {
        if counters.indices.contains(status / 100 - 1) { counters[status / 100 - 1].add() }
        seconds.observe(nanoseconds: nanoseconds)
    }
}
