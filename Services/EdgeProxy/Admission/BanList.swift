import Addresses
import Deadlines

/// A source that gets no answer for a while.
struct Ban: Sendable, Hashable {
    let block: IPAddress
    let length: Interval
    /// How many bans this source has had, this one included.
    let count: Int
}

/// What a source can be banned for.
enum Offence: String, Sendable, CaseIterable {
    case wrongPassword, scanner, malformed
}

/// What shows that the source is who it says. Anybody can write any address on a datagram, so a datagram alone never counts
/// towards a ban: else a stranger could silence a phone by swearing in its name.
enum Evidence: Sendable {
    case datagram
    /// A connection, or digest credentials with a nonce that we gave to that address and to no other.
    case proven
}

/// Who is banned, and who is on the way to it.
struct BanList: ~Copyable {
    struct Limits: Sendable {
        /// Offences in a window that are one too many; zero: nobody is banned.
        var offences = 20
        /// How many times as many a source may commit that others authenticate from.
        var knownFactor = 10
        var window = Interval.seconds(60)
        /// The first ban; each further one is twice as long.
        var first = Interval.seconds(60)
        var longest = Interval.seconds(3_600)
        var sources = 16_384
    }

    private struct Record: Sendable {
        var windowEnds = Instant(nanoseconds: 0)
        var offences = 0
        var until = Instant(nanoseconds: 0)
        var bans = 0
    }

    private let limits: Limits
    private var records: StalestTable<Record>
    /// Until when anybody may be banned: while nobody is, nothing is looked up.
    private var lastEnds = Instant(nanoseconds: 0)

    init(_ limits: Limits) {
        self.limits = limits
        records = StalestTable(capacity: limits.sources, empty: Record())
    }

    func areInForce(now: Instant) -> Bool { now < lastEnds }

    func isBanned(_ source: Source, now: Instant) -> Bool {
        guard now < lastEnds, !source.isExempt else { return false }
        return records.find(source.key).map { now < $0.until } ?? false
    }

    /// The ban, when this was one too many; others are told of it.
    mutating func committed(
        _ offence: Offence, by source: Source, _ evidence: Evidence, isKnown: Bool, now: Instant
    ) -> Ban? {
        guard limits.offences > 0, evidence == .proven, !source.isExempt else { return nil }
        let allowed = isKnown ? limits.offences * max(1, limits.knownFactor) : limits.offences
        let limits = limits
        let ban = records.update(source.key, now: now) { record -> Ban? in
            if now >= record.windowEnds {
                // Who has behaved for long enough begins anew.
                if now >= record.until + limits.longest { record.bans = 0 }
                (record.windowEnds, record.offences) = (now + limits.window, 0)
            }
            // No phone says it is a scanner by mistake; but a web page opened where others work may say it for them.
            record.offences += offence == .scanner && !isKnown ? allowed : 1
            guard record.offences >= allowed, now >= record.until else { return nil }
            record.bans += 1
            record.offences = 0
            let length = min(limits.longest, limits.first * (1 << min(record.bans - 1, 16)))
            record.until = now + length
            return Ban(block: source.block, length: length, count: record.bans)
        }
        if let ban { lastEnds = max(lastEnds, now + ban.length) }
        return ban
    }

    /// Another loop or another edge has banned it.
    mutating func adopt(_ ban: Ban, _ source: Source, now: Instant) {
        guard limits.offences > 0, !source.isExempt, ban.length.nanoseconds > 0 else { return }
        let until = now + min(ban.length, limits.longest)
        records.update(source.key, now: now) {
            $0.until = max($0.until, until)
            $0.bans = max($0.bans, ban.count)
        }
        lastEnds = max(lastEnds, until)
    }
}
