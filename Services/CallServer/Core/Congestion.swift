import Deadlines

/// Tells when there is more to do than the suite can do: when for a while even the fastest answer was slow. One server that is slow or gone
/// does not make it so, as the others answer; a burst is over before; a queue that stands makes everybody wait.
///
/// More calls would only make all of them late, until each is given up by somebody. Those that come are refused at once, until an answer is
/// fast again; those that are there go on.
struct Congestion: Sendable {
    /// So long every answer has to be slow.
    static let patience = Interval.seconds(2)
    /// Of fewer answers nothing is concluded.
    static let fewest = 20
    /// An answer says nothing about what comes later than this.
    static let memory = Interval.seconds(1)

    private let limit: Interval
    /// Since when all have been slow; nil: the last was not.
    private var slow: (since: Instant, answers: Int, last: Instant)?

    /// Slower than `limit` is slow.
    init(limit: Interval) { self.limit = limit }

    mutating func answered(after time: Interval, at now: Instant) {
        guard time > limit else { return slow = nil }
        let before = slow.flatMap { now - $0.last < Self.memory ? $0 : nil }
        slow = (before?.since ?? now, (before?.answers ?? 0) + 1, now)
    }

    func isThere(at now: Instant) -> Bool {
        guard let slow, now - slow.last < Self.memory else { return false }
        return slow.answers >= Self.fewest && now - slow.since >= Self.patience
    }
}
