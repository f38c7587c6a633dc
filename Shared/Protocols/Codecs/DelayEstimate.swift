internal import Deadlines
internal import RTP

/// How late a packet may come behind its successors: from the jitter of RFC 3550 §6.4.1, and from what came late indeed.
struct DelayEstimate {
    private let clockRate: Double
    /// Nanoseconds.
    private var jitter = 0.0
    private var lateness = 0.0
    private var last: (timestamp: Timestamp, arrived: Instant)?

    init(clockRate: Int) { self.clockRate = Double(max(1, clockRate)) }

    var delay: Interval { Interval(nanoseconds: Int64(max(2 * jitter, 1.25 * lateness))) }

    mutating func restart() { last = nil }

    mutating func arrival(_ timestamp: Timestamp, now: Instant) {
        defer { last = (timestamp, now) }
        guard let last else { return }
        lateness -= lateness / 512
        // D(i-1, i): how much further apart two packets arrived than they were sent.
        let sent = Double(timestamp.distance(from: last.timestamp)) * 1e9 / clockRate
        let difference = abs(Double((now - last.arrived).nanoseconds) - sent)
        // A clock set anew is no jitter.
        guard difference < 1e9 else { return }
        jitter += (difference - jitter) / 16
    }

    mutating func lateness(_ interval: Interval) {
        lateness = max(lateness, min(1e9, Double(max(0, interval.nanoseconds))))
    }
}
