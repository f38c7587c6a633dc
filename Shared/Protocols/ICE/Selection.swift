internal import Deadlines
internal import STUN

/// The path in use of a component, and whether we may go on using it (RFC 7675).
struct Selection: Sendable {
    let path: Path
    let priority: UInt64
    let checkPriority: UInt32
    var heardAt: Instant
    /// When the next check, or the keep-alive of a lite agent, is due.
    var nextAt: Instant
    /// Nil between two lite agents, where nobody asks. A lite one takes a check of theirs for their consent.
    var consentUntil: Instant?
    var isLost = false
    /// Checks whose answers renew the consent.
    private var asked: [TransactionID] = []

    init(_ path: Path, priority: UInt64, checkPriority: UInt32, heardAt: Instant, nextAt: Instant, consentUntil: Instant?) {
        (self.path, self.priority, self.checkPriority, self.heardAt) = (path, priority, checkPriority, heardAt)
        (self.nextAt, self.consentUntil) = (nextAt, consentUntil)
    }

    var deadline: Instant { isLost ? .distantFuture : min(nextAt, consentUntil ?? .distantFuture) }

    func hasAsked(_ transaction: TransactionID) -> Bool { asked.contains(transaction) }

    /// Some may be on their way at once; a late answer is as good.
    mutating func ask(_ transaction: TransactionID) {
        if asked.count >= 8 { asked.removeFirst() }
        asked.append(transaction)
    }

    /// They have shown since then that they want what is sent.
    mutating func consented(at instant: Instant, lifetime: Interval) {
        guard !isLost, let end = consentUntil else { return }
        consentUntil = max(end, instant + lifetime)
    }

    mutating func answered(_ transaction: TransactionID, now: Instant, lifetime: Interval) {
        asked.removeAll { $0 == transaction }
        guard !isLost, consentUntil != nil else { return }
        (consentUntil, heardAt) = (now + lifetime, now)
    }
}
