import Deadlines

/// The INVITEs that went to a server a short while ago, by their transactions: over UDP a client repeats each until it is
/// answered (RFC 3261 §17.1.1.2), and what was let in once is let in.
struct AdmittedInvites: ~Copyable {
    private struct Row: Sendable {
        var until = Instant(nanoseconds: 0)
        var copies: UInt32 = 0
    }

    /// 64*T1: timer B.
    static let lifetime = Interval.seconds(32)
    /// Timer A doubles, so a client sends six copies until timer B ends it; the network may double each. A flood pays for the rest.
    static let freeCopies: UInt32 = 12

    private var rows: StalestTable<Row>
    private var lastEnd = Instant(nanoseconds: 0)

    init(capacity: Int) { rows = StalestTable(capacity: capacity, empty: Row()) }

    /// Then there is nothing to look for.
    func isEmpty(now: Instant) -> Bool { lastEnd <= now }

    /// It goes to a server. `transaction` is a keyed hash of what names it, and of its source.
    mutating func admitted(_ transaction: UInt64, now: Instant) {
        rows.update(transaction, now: now) { row in
            if row.until <= now { row = Row(until: now + Self.lifetime) }
        }
        lastEnd = now + Self.lifetime
    }

    func contains(_ transaction: UInt64, now: Instant) -> Bool { rows.find(transaction).map { $0.until > now } ?? false }

    /// Whether it has been let in and comes again no more often than a client may repeat it.
    mutating func isRepeated(_ transaction: UInt64, now: Instant) -> Bool {
        rows.updateKnown(transaction, now: now) { row in
            guard row.until > now, row.copies < Self.freeCopies else { return false }
            row.copies += 1
            return true
        } ?? false
    }
}
