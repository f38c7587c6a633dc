import Deadlines
import SIP

/// Who may send requests as `user@domain`, and what proves it: the two HA1 of RFC 8760.
struct Account: Sendable, Hashable {
    let customer: String
    let user: String
    let domain: String
    let md5: String
    let sha256: String
    /// Its customer is: who proves to be it may do nothing all the same.
    var isSuspended = false

    /// Nil where there is none: of an empty one everybody could make the response.
    func ha1(_ hash: DigestHash) -> String? {
        switch hash {
        case .md5: md5.isEmpty ? nil : md5
        case .sha256: sha256.isEmpty ? nil : sha256
        case .sha512_256: nil
        }
    }
}

/// Accounts the Registrar told of lately, and those it did not know; bounded, so strangers' names cannot fill the memory.
struct AccountCache: Sendable {
    struct Key: Hashable, Sendable {
        let user: String
        let domain: String
    }

    enum Answer: Sendable, Equatable {
        /// The Registrar must be asked.
        case unknown
        /// Nil: there is no such account. Only what is `recent` is good enough to refuse somebody: the password may just have
        /// been changed, and how long a refusal takes must not tell whether there is such an account.
        case known(Account?, isRecent: Bool)
    }

    private struct Entry {
        let account: Account?
        let stored: Instant
    }

    private let capacity: Int
    private let lifetime: Interval
    private let recent: Interval
    private var entries: [Key: Entry] = [:]

    init(capacity: Int, lifetime: Interval, recent: Interval) {
        (self.capacity, self.lifetime, self.recent) = (capacity, lifetime, recent)
    }

    var count: Int { entries.count }

    func find(_ key: Key, now: Instant) -> Answer {
        guard let entry = entries[key], isAlive(entry, now) else { return .unknown }
        return .known(entry.account, isRecent: now - entry.stored < recent)
    }

    mutating func store(_ account: Account?, for key: Key, now: Instant) {
        if entries.count >= capacity, entries[key] == nil { makeRoom(now: now) }
        entries[key] = Entry(account: account, stored: now)
    }

    private func isAlive(_ entry: Entry, _ now: Instant) -> Bool {
        now - entry.stored < (entry.account == nil ? recent : lifetime)
    }

    mutating func invalidate(_ key: Key) { entries[key] = nil }
    mutating func removeAll() { entries.removeAll() }

    /// Expired ones go first, then names that nobody has; after that whatever comes to hand.
    private mutating func makeRoom(now: Instant) {
        entries = entries.filter { isAlive($0.value, now) }
        if entries.count >= capacity { entries = entries.filter { $0.value.account != nil } }
        while entries.count >= capacity, let any = entries.keys.first { entries[any] = nil }
    }
}
