import Deadlines

/// Which nonce counts have been used (RFC 7616 §5.12): whoever listened may not send somebody's credentials a second time.
///
/// A table of fixed size, one entry for each nonce a user answers: the highest count, a bitmap of the 64 up to it, and what the
/// last four were used for, since a datagram that is sent again (§17.1 of RFC 3261) carries its count again. Only credentials
/// that were found authentic may be shown to it, so that strangers cannot push out what it knows. An entry that had to make
/// room is forgotten: then a count of an old nonce is taken once more, until the nonce itself expires.
struct NonceWindow: Sendable {
    enum Verdict: Sendable, Hashable {
        case fresh
        /// The very message that used this count, once more within the life of its transaction.
        case retransmission
        /// To be challenged with `stale=true`: its owner answers without asking anybody, a thief cannot.
        case replayed
    }

    fileprivate struct Entry {
        /// Zero: the place is empty.
        var key: UInt64 = 0
        var highest: UInt32 = 0
        /// Bit n: the count `highest - n` was used.
        var used: UInt64 = 0
        var lastUse = Instant(nanoseconds: 0)
        /// By the count modulo four.
        var recent: [4 of Use] = .init(repeating: Use())
    }

    fileprivate struct Use {
        var count: UInt32 = 0
        var message: UInt64 = 0
        var since = Instant(nanoseconds: 0)
    }

    /// Places that a key may stand at.
    private static let ways = 4
    private let sets: Int
    private let transactionLife: Interval
    private var entries: [Entry]

    /// `capacity` nonces, rounded up to a power of two; 144 bytes each. `transactionLife` is Timer B (RFC 3261 §17.1.1.2).
    init(capacity: Int, transactionLife: Interval = .seconds(32)) {
        var sets = 1
        while sets * Self.ways < capacity { sets *= 2 }
        (self.sets, self.transactionLife) = (sets, transactionLife)
        entries = Array(repeating: Entry(), count: sets * Self.ways)
    }

    var capacity: Int { entries.count }

    /// `key` stands for nonce and user, `message` for all bytes of the request; both are hashes nobody outside can foretell.
    mutating func use(_ count: UInt32, key: UInt64, message: UInt64, now: Instant) -> Verdict {
        guard count > 0 else { return .replayed }
        let place = place(of: max(1, key), now: now)
        let verdict = entries[place].use(count, message, now: now, life: transactionLife)
        entries[place].lastUse = now
        return verdict
    }

    /// Where the key stands, or the place of the one that was used longest ago, cleared for it.
    private mutating func place(of key: UInt64, now: Instant) -> Int {
        let first = Int(key & UInt64(sets - 1)) * Self.ways
        var oldest = first
        for place in first..<first + Self.ways {
            if entries[place].key == key { return place }
            if entries[place].lastUse < entries[oldest].lastUse { oldest = place }
        }
        entries[oldest] = Entry()
        entries[oldest].key = key
        return oldest
    }
}

extension NonceWindow.Entry {
    fileprivate mutating func use(_ count: UInt32, _ message: UInt64, now: Instant, life: Interval) -> NonceWindow.Verdict {
        let slot = Int(count & 3)
        if count > highest {
            let step = count - highest
            used = step < 64 ? used << UInt64(step) : 0
            highest = count
        }
        let age = highest - count
        // Whatever is older than the window may have been used.
        guard age < 64 else { return .replayed }
        let bit = UInt64(1) << UInt64(age)
        guard used & bit != 0 else {
            used |= bit
            recent[slot] = NonceWindow.Use(count: count, message: message, since: now)
            return .fresh
        }
        let use = recent[slot]
        return use.count == count && use.message == message && now - use.since < life ? .retransmission : .replayed
    }
}
