public import Deadlines

/// The pauses between attempts to reach a server: doubling from 50 ms to 2 s unless told otherwise, each drawn from the upper half of its step,
/// so that the clients of a restarted server do not come back in one wave.
public struct Backoff: Sendable {
    private static let first = Interval.milliseconds(50)
    private let last: Interval
    private var step = Backoff.first

    public init(last: Interval = .seconds(2)) { self.last = last }

    /// `random` is any number; the platform draws it.
    public mutating func next(random: UInt64) -> Interval {
        let half = step.nanoseconds / 2
        let pause = Interval(nanoseconds: half + Int64(random % UInt64(half + 1)))
        step = min(step * 2, last)
        return pause
    }

    /// After a success the next failure is tried again at once.
    public mutating func reset() { step = Self.first }
}
