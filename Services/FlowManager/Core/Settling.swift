/// The time after a crash of PostgreSQL in which a row may be older than it is by right, since somebody has yet to write again what was lost of it.
///
/// It is over when everybody who lives has said that he is through (`flows.recollected`), and at the latest when everybody has had the time. Pure.
struct Settling: Sendable {
    /// Within that everybody who lives has found PostgreSQL again, and has written what it had forgotten.
    static let limit = Duration.seconds(3)

    /// The life that PostgreSQL was seen to live.
    private(set) var life: String?
    private var bornAt: ContinuousClock.Instant?

    /// Whoever has just started does not know how old the life is that it sees first.
    mutating func saw(_ seen: String, at now: ContinuousClock.Instant) {
        guard life != seen else { return }
        (life, bornAt) = (seen, now)
    }

    /// `through`: the incarnations that have written all they knew of in that life; `others`: those that live.
    mutating func heard(_ through: Set<String>, in life: String, others: [String]) {
        if life == self.life, others.allSatisfy(through.contains) { bornAt = nil }
    }

    func isUnderWay(at now: ContinuousClock.Instant) -> Bool { bornAt.map { now - $0 < Self.limit } ?? false }
}
