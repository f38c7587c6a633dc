/// How long those are told to wait whom nobody can serve now (RFC 3261 §20.33, §21.5.4): each another time, so that they do not
/// come back together.
struct RetryAfter: Sendable {
    /// In seconds; the longest is six times that.
    let shortest: Int

    init(shortest: Int = 5) { self.shortest = max(1, shortest) }

    func seconds(random: UInt64) -> Int { shortest + Int(random % UInt64(5 * shortest + 1)) }
}
