public import Deadlines

/// Decides when a loop under load lets what arrives gather before it looks again, as network cards moderate their interrupts:
/// waking up costs more than handling a small message does, and under load there is always a next one.
///
/// Below the rate nothing ever waits. Above it turns begin so far apart, and a turn that takes longer is followed at once, so
/// that the highest rate the loop can bear is no lower.
public struct WakeupModeration: Sendable {
    private let interval: Interval
    private let rate: Int
    private var windowBegan = Instant(nanoseconds: 0)
    private var count = 0
    private var isActive = false

    private static let window = Interval.milliseconds(10)

    /// `interval` is the time between the beginnings of two turns, `rate` the items per second above which it is kept.
    public init(interval: Interval, above rate: Int) { (self.interval, self.rate) = (interval, rate) }

    /// A turn that began then has handled so many items: the time before which the next need not begin, if there is one.
    public mutating func turned(items: Int, began: Instant) -> Instant? {
        count += items
        let elapsed = began - windowBegan
        if elapsed >= Self.window {
            isActive = Double(count) >= Double(rate) * elapsed.seconds
            (windowBegan, count) = (began, 0)
        }
        return isActive && items > 0 && interval > .zero ? began + interval : nil
    }
}
