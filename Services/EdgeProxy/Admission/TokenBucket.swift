import Deadlines

/// How many requests a second are admitted for long, and how many at once.
struct TokenRate: Sendable, Hashable {
    /// Nanoseconds a token takes to come back; zero: without limit.
    let interval: Int64
    let burst: Int

    static let unlimited = TokenRate(perSecond: 0, burst: 0)

    init(perSecond: Int, burst: Int) {
        interval = perSecond > 0 ? max(1, 1_000_000_000 / Int64(perSecond)) : 0
        self.burst = max(1, burst)
    }

    /// `RATE/BURST`, or `0` for no limit.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        switch (parts.first ?? nil, parts.count) {
        case (0, 1): self = .unlimited
        case (let rate?, 2):
            guard 1...1_000_000 ~= rate, let burst = parts[1], 1...10_000_000 ~= burst else { return nil }
            self.init(perSecond: rate, burst: burst)
        default: return nil
        }
    }

    private init(interval: Int64, burst: Int) { (self.interval, self.burst) = (interval, burst) }

    func times(_ factor: Int) -> TokenRate {
        interval == 0 || factor <= 0 ? .unlimited : TokenRate(interval: max(1, interval / Int64(factor)), burst: burst * factor)
    }
}

/// A token bucket in eight bytes: the instant at which it will be full again says how many tokens are missing.
struct TokenBucket: Sendable {
    private var fullAt = Instant(nanoseconds: 0)

    /// Whether there was a token; then it is taken.
    mutating func take(_ rate: TokenRate, now: Instant) -> Bool {
        guard rate.interval > 0 else { return true }
        let start = max(fullAt, now)
        guard (start - now).nanoseconds <= rate.interval * Int64(rate.burst - 1) else { return false }
        fullAt = start + Interval(nanoseconds: rate.interval)
        return true
    }

    /// Gives tokens back, as far as the bucket holds them.
    mutating func refund(_ tokens: Int, _ rate: TokenRate) {
        fullAt = fullAt + Interval(nanoseconds: -rate.interval * Int64(tokens))
    }
}
