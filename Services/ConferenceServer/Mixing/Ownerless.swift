import Deadlines

/// Which calls nobody owns any more, judged from what is seen of them time and again (RELIABILITY §4.2).
///
/// One look proves nothing: a lease may be missing for a second because Redis came back empty, or because a successor is just
/// taking the call over.
struct Ownerless {
    /// What was seen of a call.
    enum Sight: Equatable {
        /// Somebody holds its lease.
        case owned
        /// Nobody does, and its CallServer is dead, or was started anew, or says that the call is over.
        case abandoned
        /// Nobody does, but its CallServer is alive: it may be cut off from Redis.
        case unclear
    }

    /// A call that was abandoned for so long is gone.
    static let confirmation = Interval.seconds(5)
    /// The same, while its CallServer may still have it.
    static let patience = Interval.seconds(600)

    private var since: [String: Instant] = [:]

    /// True when the call has had no owner for long enough.
    mutating func isGone(_ call: String, _ sight: Sight, now: Instant) -> Bool {
        guard sight != .owned else {
            since[call] = nil
            return false
        }
        guard let first = since[call] else {
            since[call] = now
            return false
        }
        return now - first >= (sight == .abandoned ? Self.confirmation : Self.patience)
    }

    /// Nothing could be seen: what was seen before proves nothing about now.
    mutating func forgetAll() { since = [:] }

    /// Forgets the calls that are of no concern any more.
    mutating func keep(only calls: Set<String>) { since = since.filter { calls.contains($0.key) } }
}
