/// Observations of one thread for a histogram that all threads share: counted in memory of its own, and handed over by `flush`,
/// so that a message costs some additions and no atomic one.
public struct HistogramTally: ~Copyable {
    private let histogram: Histogram
    private let bounds: [UInt64]
    private var counts: [UInt64]
    private var sum: UInt64 = 0

    public init(_ histogram: Histogram) {
        (self.histogram, bounds) = (histogram, histogram.bounds)
        counts = Array(repeating: 0, count: histogram.bounds.count + 1)
    }

    public mutating func observe(count: UInt64) {
        var bucket = 0
        while bucket < bounds.count, count > bounds[bucket] { bucket += 1 }
        counts[bucket] += 1
        sum &+= count
    }

    public mutating func flush() {
        guard sum > 0 else { return }
        for bucket in counts.indices where counts[bucket] > 0 {
            histogram.add(counts[bucket], toBucket: bucket)
            counts[bucket] = 0
        }
        histogram.add(toSum: sum)
        sum = 0
    }
}
