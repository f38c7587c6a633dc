internal import Deadlines

/// The answers given lately, by idempotency key, so that a command performed twice equals one performed once. Pure.
///
/// A repetition that comes while the first is being performed waits for the same answer. Bounded: the oldest answer goes.
struct ReplyCache<Answer: Sendable, Waiter: Sendable>: Sendable {
    enum Admission: Sendable {
        /// The first of its key: perform it, then `finish`.
        case perform
        case answered(Answer)
        /// Being performed: the waiter is kept, and comes out of `finish`.
        case waits
    }

    private enum Entry: Sendable {
        case running([Waiter])
        case finished(Answer)
    }

    private let limit: Int
    private let lifetime: Interval
    private var entries: [String: Entry] = [:]
    /// In the order they were finished, which is the order they are forgotten in; those before `oldest` are forgotten.
    private var finished: [(key: String, until: Instant)] = []
    private var oldest = 0

    init(limit: Int, lifetime: Interval) { (self.limit, self.lifetime) = (limit, lifetime) }

    var count: Int { entries.count }

    mutating func admit(_ key: String, waiter: Waiter, now: Instant) -> Admission {
        while oldest < finished.count, finished[oldest].until <= now { forgetOldest() }
        switch entries[key] {
        case nil:
            entries[key] = .running([])
            return .perform
        case .finished(let answer): return .answered(answer)
        case .running(let waiters):
            entries[key] = .running(waiters + [waiter])
            return .waits
        }
    }

    /// Keeps the answer and gives those who wait for it. `isFinal` is false for a failure that another try may not meet.
    mutating func finish(_ key: String, _ answer: Answer, isFinal: Bool, now: Instant) -> [Waiter] {
        guard case .running(let waiters) = entries[key] else { return [] }
        guard isFinal else {
            entries[key] = nil
            return waiters
        }
        entries[key] = .finished(answer)
        finished.append((key, now + lifetime))
        if finished.count - oldest > limit { forgetOldest() }
        return waiters
    }

    private mutating func forgetOldest() {
        entries[finished[oldest].key] = nil
        oldest += 1
        guard oldest > limit else { return }
        finished.removeFirst(oldest)
        oldest = 0
    }
}

extension ReplyCache.Admission: Equatable where Answer: Equatable {}
