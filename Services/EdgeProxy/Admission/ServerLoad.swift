import Deadlines

/// How one call server keeps up, and the share of new calls it is spared (RELIABILITY §4.8).
///
/// Like CoDel (RFC 8289) it goes by how long work waits, and acts only when even the shortest wait stays above the target for
/// a while. How much it then sheds follows from what the server answers a second, which is what it can do, and from what waits
/// there already.
struct ServerLoad: Sendable {
    struct Limits: Sendable {
        /// A longer wait for the first response is too long; zero: nothing is shed.
        var target = Interval.milliseconds(100)
        var patience = Interval.milliseconds(500)
    }

    static let tick = Interval.milliseconds(100)
    /// What was not answered within these ticks, five seconds, is no longer waited for.
    private static let remembered = 50
    private static let smoothing = 0.3
    /// Some always come through: else nobody would notice that the server is well again.
    private static let greatestShare = 0.95
    /// A few requests without an answer are losses, not a queue.
    private static let smallestQueue = 8

    /// Zero: no server's.
    private(set) var server: UInt64 = 0
    /// Of new calls, how many are refused: zero to one.
    private(set) var shed = 0.0
    /// Unanswered requests by the tick in which they were sent; `current` is now's.
    private var waiting = InlineArray<50, UInt32>(repeating: 0)
    private var current = 0
    private var queue = 0
    private var tickEnds = Instant(nanoseconds: 0)
    private var shortest: Interval?
    private var offered = 0
    private var answered = 0
    private var offeredRate = 0.0
    private var answeredRate = 0.0
    private var lateSince: Instant?
    private var isShedding = false

    init() {}

    init(server: UInt64, now: Instant) {
        self.server = server
        tickEnds = now + Self.tick
    }

    /// A new call came, whether or not it is let through.
    mutating func offer(_ limits: Limits, now: Instant) {
        advance(limits, now)
        offered += 1
    }

    /// It was sent on, in the tick of the last `offer`.
    mutating func send() {
        waiting[current] += 1
        queue += 1
    }

    /// The first response to what was sent at `sent`.
    mutating func answer(sentAt sent: Instant, _ limits: Limits, now: Instant) {
        advance(limits, now)
        let age = max(0, (tickEnds - sent).nanoseconds - 1) / Self.tick.nanoseconds
        if age < Int64(Self.remembered) {
            let index = (current + Self.remembered - Int(age)) % Self.remembered
            if waiting[index] > 0 {
                waiting[index] -= 1
                queue -= 1
            }
        }
        answered += 1
        let wait = now - sent
        shortest = shortest.map { min($0, wait) } ?? wait
    }

    private mutating func advance(_ limits: Limits, _ now: Instant) {
        guard now >= tickEnds else { return }
        // After a silence as long as the memory there is nothing left to go by.
        if now - tickEnds > Self.tick * Self.remembered { self = ServerLoad(server: server, now: now) }
        while now >= tickEnds { endTick(limits) }
    }

    private mutating func endTick(_ limits: Limits) {
        let seconds = Self.tick.seconds
        offeredRate += Self.smoothing * (Double(offered) / seconds - offeredRate)
        answeredRate += Self.smoothing * (Double(answered) / seconds - answeredRate)
        decide(limits)
        (offered, answered, shortest) = (0, 0, nil)
        current = (current + 1) % Self.remembered
        queue -= Int(waiting[current])
        waiting[current] = 0
        tickEnds = tickEnds + Self.tick
    }

    private mutating func decide(_ limits: Limits) {
        guard limits.target.nanoseconds > 0 else { return }
        let isLate = (shortest ?? (queue >= Self.smallestQueue ? longestWait : .zero)) > limits.target
        if isLate {
            let since = lateSince ?? tickEnds
            lateSince = since
            if tickEnds - since >= limits.patience { isShedding = true }
        } else {
            lateSince = nil
        }
        guard isShedding else { return }
        // What waits is to be gone in half a second, down to the target; with nothing to wait for, a little more is tried.
        let wait = Double(queue) / max(answeredRate, 1)
        var admitted = answeredRate * (1 - min(0.9, max(-1, 2 * (wait - limits.target.seconds))))
        if wait < limits.target.seconds / 2 { admitted = admitted * 1.05 + 1 }
        shed = min(Self.greatestShare, max(0, 1 - admitted / max(offeredRate, 1e-9)))
        if shed == 0, !isLate { isShedding = false }
    }

    /// Of the oldest request that is still waited for.
    private var longestWait: Interval {
        for age in stride(from: Self.remembered - 1, through: 0, by: -1)
        where waiting[(current + Self.remembered - age) % Self.remembered] > 0 {
            return Self.tick * age
        }
        return .zero
    }
}
