public import Deadlines

/// Decides when a loop under load lets what arrives gather before it looks again, as network cards moderate their interrupts:
/// waking up costs more than handling a small message does, and under load there is always a next one.
///
/// Below the rate nothing ever waits. Above it turns begin so far apart, and a turn that takes longer is followed at once, so
/// that the highest rate the loop can bear is no lower. While few come, turns begin up to twice as far apart: a turn costs as
/// much for three items as for ten.
public struct WakeupModeration: Sendable {
    private let interval: Interval
    private let rate: Int
    private let fill: Int
    private var windowBegan = Instant(nanoseconds: 0)
    private var count = 0
    /// Between the beginnings of two turns, now.
    private var pause: Interval?

    private static let window = Interval.milliseconds(10)

    /// `interval` is the time between the beginnings of two turns, `rate` the items per second above which it is kept; it is
    /// longer, at most twice as long, while fewer than `fill` items come in it.
    public init(interval: Interval, above rate: Int, filling fill: Int = 0) { (self.interval, self.rate, self.fill) = (interval, rate, fill) }

    /// A turn that began then has handled so many items: the time before which the next need not begin, if there is one.
    public mutating func turned(items: Int, began: Instant) -> Instant? {
        count += items
        let elapsed = began - windowBegan
        if elapsed >= Self.window {
            pause = pause(after: elapsed)
            (windowBegan, count) = (began, 0)
        }
        guard let pause, items > 0 else { return nil }
        return began + pause
    }

    private func pause(after elapsed: Interval) -> Interval? {
        guard interval > .zero, Double(count) >= Double(rate) * elapsed.seconds else { return nil }
        guard count > 0 else { return interval }
        let filled = Double(fill) * Double(elapsed.nanoseconds) / Double(count)
        return max(interval, min(interval * 2, Interval(nanoseconds: Int64(min(filled, 1e9)))))
    }
}
