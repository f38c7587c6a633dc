import Deadlines

/// The even/odd port pairs one media thread may use (RFC 3550 §11): given out in turn, and rested after use, so that late
/// packets of one call never reach the next.
struct PortPool {
    static let rest = Interval.seconds(10)

    private let first: UInt16
    private let share: Int
    private let shares: Int
    /// When each pair may be used again.
    private var usableAt: [Instant]
    private var cursor: Int

    /// The pairs of `range` whose number leaves the remainder `share` when divided by `shares`. `start` spreads the starting
    /// points, so that two instances with one range do not meet at once.
    init(range: ClosedRange<UInt16>, share: Int = 0, of shares: Int = 1, start: UInt64) {
        let first = Int(range.lowerBound) + Int(range.lowerBound) % 2
        let pairs = max(0, (Int(range.upperBound) + 1 - first) / 2)
        let own = max(0, (pairs - share + shares - 1) / shares)
        self.first = UInt16(clamping: first)
        (self.share, self.shares) = (share, shares)
        usableAt = Array(repeating: Instant(nanoseconds: 0), count: own)
        cursor = own > 0 ? Int(start % UInt64(own)) : 0
    }

    /// How many pairs there are, used or not.
    var count: Int { usableAt.count }

    /// The next free pair's RTP port, now in use; nil when all are.
    mutating func take(now: Instant) -> UInt16? {
        for _ in usableAt.indices {
            defer { cursor = (cursor + 1) % usableAt.count }
            guard usableAt[cursor] <= now else { continue }
            usableAt[cursor] = .distantFuture
            return port(at: cursor)
        }
        return nil
    }

    /// A session that another process began has this port.
    mutating func claim(_ port: UInt16) {
        guard let index = index(of: port) else { return }
        usableAt[index] = .distantFuture
    }

    /// The session on that port ended, or another process has the port: it is not tried again for a while. A port that nobody outside
    /// was told of (`isUnknown`) need not rest.
    mutating func giveBack(_ port: UInt16, isUnknown: Bool = false, now: Instant) {
        guard let index = index(of: port) else { return }
        usableAt[index] = isUnknown ? now : now + Self.rest
    }

    private func index(of port: UInt16) -> Int? {
        let index = ((Int(port) - Int(first)) / 2 - share) / shares
        return usableAt.indices.contains(index) && self.port(at: index) == port ? index : nil
    }

    private func port(at index: Int) -> UInt16 { first + UInt16((index * shares + share) * 2) }
}
