import MediaSession
import Telemetry

/// How the calls that ended have sounded, for Prometheus: one observation a session and direction.
enum QualityMetrics {
    private struct Direction: Sendable {
        let score: Histogram
        let loss: Histogram
        let jitter: Histogram

        init(_ name: String) {
            score = Histogram(
                "tandem_relay_mos", "Opinion scores (ITU-T G.107) of ended sessions.", ratios: [1.5, 2, 2.5, 3, 3.25, 3.5, 3.75, 4, 4.2, 4.3],
                labels: ["direction": name])
            loss = Histogram(
                "tandem_relay_loss_ratio", "Shares of packets lost in ended sessions.", ratios: [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
                labels: ["direction": name])
            jitter = Histogram(
                "tandem_relay_jitter_seconds", "Jitter (RFC 3550) at the end of sessions.",
                bounds: [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25], labels: ["direction": name])
        }

        func observe(_ quality: StreamQuality) {
            if let score = quality.meanOpinionScore { self.score.observe(ratio: score) }
            loss.observe(ratio: quality.lossShare)
            jitter.observe(nanoseconds: UInt64(max(0, min(quality.jitterMilliseconds, 60_000)) * 1_000_000))
        }
    }

    /// What was heard of the phone, and what it told of what it heard.
    private static let received = Direction("received")
    private static let sent = Direction("sent")
    private static let roundTrip = Histogram(
        "tandem_relay_round_trip_seconds", "From here to the phone and back, at the end of sessions.",
        bounds: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1])

    static func observe(_ statistics: SessionStatistics) {
        if statistics.received.packets > 0 { received.observe(statistics.received) }
        if let quality = statistics.sent { sent.observe(quality) }
        if let milliseconds = statistics.roundTripMilliseconds { roundTrip.observe(nanoseconds: UInt64(max(0, milliseconds) * 1_000_000)) }
    }
}
