/// A histogram as Prometheus is shown it: how many observations were at most each bound.
struct ShownHistogram {
    private var bounds: [Double] = []
    /// Of all up to each bound; the last of all.
    private var counts: [Double] = []
    private(set) var sum = 0.0

    var count: Double { counts.last ?? 0 }
    var mean: Double { count > 0 ? sum / count : 0 }

    /// Of a metric without labels of its own, in the text of an admin port.
    init(_ name: String, in text: String) {
        for line in text.split(separator: "\n") {
            guard let value = line.split(separator: " ").last.flatMap({ Double($0) }) else { continue }
            if line.hasPrefix("\(name)_bucket{le=\"") {
                // The last bound is infinite.
                bounds.append(Double(line.dropFirst(name.count + 12).prefix { $0 != "\"" }) ?? .infinity)
                counts.append(value)
            } else if line.hasPrefix("\(name)_sum ") {
                sum = value
            }
        }
    }

    private func combined(with other: ShownHistogram, _ sign: Double) -> ShownHistogram {
        guard bounds == other.bounds else { return other.bounds.isEmpty ? self : other }
        var result = self
        for index in counts.indices { result.counts[index] += sign * other.counts[index] }
        result.sum += sign * other.sum
        return result
    }

    static func + (left: ShownHistogram, right: ShownHistogram) -> ShownHistogram { left.combined(with: right, 1) }
    static func - (left: ShownHistogram, right: ShownHistogram) -> ShownHistogram { left.combined(with: right, -1) }

    /// As exact as the bounds are: within two of them all observations are taken to be spread evenly.
    func percentile(_ fraction: Double) -> Double {
        let wanted = fraction * count
        guard count > 0, let index = counts.firstIndex(where: { $0 >= wanted }) else { return 0 }
        let (low, before) = index > 0 ? (bounds[index - 1], counts[index - 1]) : (0, 0)
        guard bounds[index].isFinite, counts[index] > before else { return low }
        return low + (bounds[index] - low) * (wanted - before) / (counts[index] - before)
    }

    /// In milliseconds, of a histogram of seconds.
    var text: String {
        func milliseconds(_ seconds: Double) -> String { "\((seconds * 100_000).rounded() / 100)" }
        guard count > 0 else { return "nothing observed" }
        return "p50 \(milliseconds(percentile(0.5))) ms, p95 \(milliseconds(percentile(0.95))) ms, p99 \(milliseconds(percentile(0.99))) ms, "
            + "mean \(milliseconds(mean)) ms of \(Int(count))"
    }
}
