import Addresses
import Cryptography
import Deadlines
import SIP

/// Requests that came over connections and have had no response yet: their clients repeat nothing (RFC 3261 §17.1.1.2,
/// §17.1.2.2), so whoever sends them on over UDP, past servers that may die, does (RELIABILITY §4.3).
///
/// A convenience with bounds: what does not fit is not kept, and after 32 seconds (64*T1) its client has given up too.
struct KeptRequests {
    struct Limits: Sendable {
        var count: Int
        var bytes: Int
    }

    struct Kept: Sendable {
        let message: Message
        var forwarding: Forwarding
        let arrival: Arrival
        /// Where it went last.
        var server: SocketAddress
    }

    /// What names a transaction on its way back; CANCEL has the branch of its INVITE (§9.1).
    struct Key: Hashable, Sendable {
        private let low: UInt64
        private let high: UInt64
        private let isCancel: Bool

        init(_ transaction: SipHash.Code, _ method: Method) { (low, high, isCancel) = (transaction.low, transaction.high, method == .cancel) }

        /// Of a response, by the Via that we put on its request.
        init?(response: borrowing MessageView) {
            guard let branch = response.topmostVia?.branch, let method = response.cseq?.method,
                let transaction = StatelessForwarding.Branch.transaction(of: response.bytes.extracting(branch))
            else { return nil }
            self.init(transaction, method)
        }
    }

    private struct Entry {
        var kept: Kept
        let end: Instant
        var interval: Interval
        var ticket: DeadlineQueue<Key>.Ticket
    }

    static let lifetime = Interval.seconds(32)
    /// Longer than a server that lives takes for its first response, so what is sent twice was lost; doubled up to T2 (§17.1.2.2).
    private static let firstInterval = Interval.seconds(1)
    private static let longestInterval = Interval.seconds(4)

    private let limits: Limits
    private var entries: [Key: Entry] = [:]
    private var due = DeadlineQueue<Key>()
    private(set) var bytes = 0

    init(_ limits: Limits) { self.limits = limits }

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    /// False when there is no room. A request that the client has sent again takes the place of the first.
    mutating func keep(_ kept: Kept, as key: Key, now: Instant) -> Bool {
        remove(key)
        let size = kept.message.bytes.count
        guard entries.count < limits.count, bytes + size <= limits.bytes else { return false }
        let ticket = due.insert(key, at: now + Self.firstInterval)
        entries[key] = Entry(kept: kept, end: now + Self.lifetime, interval: Self.firstInterval, ticket: ticket)
        bytes += size
        return true
    }

    /// A response is on its way to the client: the server has the request.
    mutating func remove(_ key: Key) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        due.cancel(entry.ticket)
        bytes -= entry.kept.message.bytes.count
    }

    /// The next one without a response that is to be sent again now; ended ones are forgotten on the way.
    mutating func popDue(now: Instant) -> Key? {
        while let key = due.popDue(now: now) {
            guard let entry = entries[key] else { continue }
            guard now < entry.end else {
                remove(key)
                continue
            }
            let interval = min(entry.interval * 2, Self.longestInterval)
            entries[key]?.interval = interval
            entries[key]?.ticket = due.insert(key, at: now + interval)
            return key
        }
        return nil
    }

    /// Those that are with a server which is no more, the oldest first: an INVITE before its CANCEL.
    func orphans(_ isLiving: (SocketAddress) -> Bool) -> [Key] {
        entries.filter { !isLiving($0.value.kept.server) }.sorted { $0.value.end < $1.value.end }.map(\.key)
    }

    subscript(key: Key) -> Kept? { entries[key]?.kept }

    /// It has gone out again, perhaps another way.
    mutating func moved(_ key: Key, _ forwarding: Forwarding, to server: SocketAddress) {
        entries[key]?.kept.forwarding = forwarding
        entries[key]?.kept.server = server
    }
}
