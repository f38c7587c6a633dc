import Deadlines

/// One measured figure: a line with the target beside it.
struct Figure: CustomStringConvertible {
    let subject: String
    let value: String
    let target: String

    var description: String { "\(Self.pad(subject, 58)) \(Self.pad(value, 62)) target \(target)" }

    private static func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
}

/// Times of many repetitions of one thing.
struct Sample {
    private let sorted: [Interval]

    init(_ times: [Interval]) { sorted = times.sorted() }

    var count: Int { sorted.count }

    /// The time that a fraction of all repetitions did not exceed (nearest rank); zero without any.
    func percentile(_ fraction: Double) -> Interval {
        guard !sorted.isEmpty else { return .zero }
        let rank = Int((fraction * Double(sorted.count)).rounded(.up))
        return sorted[max(0, min(sorted.count - 1, rank - 1))]
    }

    func text(decimals: Int) -> String {
        let (median, high, worst) = (percentile(0.5), percentile(0.95), percentile(1))
        return "median \(Self.milliseconds(median, decimals)) ms, p95 \(Self.milliseconds(high, decimals)) ms, "
            + "worst \(Self.milliseconds(worst, decimals)) ms"
    }

    static func milliseconds(_ interval: Interval, _ decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        return "\((interval.milliseconds * scale).rounded() / scale)"
    }
}
