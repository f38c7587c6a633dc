public import Deadlines

/// The answers of the last seconds by cookie: a request that comes again gets the same answer, and is not done again.
public struct ReplyCache {
    public enum Verdict: Hashable, Sendable {
        case new
        /// It is being worked on; the answer will come.
        case pending
        case answered([UInt8])
    }

    private struct Entry {
        var reply: [UInt8]?
        let at: Instant
    }

    private let capacity: Int
    private let lifetime: Interval
    private var entries: [[UInt8]: Entry] = [:]
    /// In the order they came, so that the oldest go first.
    private var order: [(cookie: [UInt8], at: Instant)] = []
    private var first = 0

    /// Whoever asks gives up after some seconds; what is kept longer only takes room.
    public init(capacity: Int, lifetime: Interval = .seconds(30)) { (self.capacity, self.lifetime) = (max(1, capacity), lifetime) }

    public var count: Int { entries.count }

    /// `key`: the cookie and whatever else tells askers apart.
    public mutating func begin(_ key: [UInt8], now: Instant) -> Verdict {
        expire(now: now)
        if let entry = entries[key] { return entry.reply.map { .answered($0) } ?? .pending }
        entries[key] = Entry(reply: nil, at: now)
        order.append((key, now))
        return .new
    }

    public mutating func answer(_ key: [UInt8], _ reply: [UInt8]) { entries[key]?.reply = reply }

    private mutating func expire(now: Instant) {
        while first < order.count, entries.count >= capacity || order[first].at + lifetime <= now {
            entries[order[first].cookie] = nil
            first += 1
        }
        guard first > 1024, first > order.count / 2 else { return }
        order.removeFirst(first)
        first = 0
    }
}
