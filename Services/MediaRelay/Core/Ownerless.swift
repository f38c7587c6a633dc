import Deadlines

/// Which calls have had no owner for so long that their sessions end, whatever the phones still send (RELIABILITY §4.2).
///
/// A phone whose CallServer was killed goes on sending until somebody hangs it up: for hours, if nobody is there. Its session
/// waits for a successor to take the call's lease, but not for ever.
struct Ownerless {
    static let patience = Interval.seconds(600)

    private var since: [String: Instant] = [:]

    /// The calls that were without a lease at every look for that long; `leased` are those of all `calls` that have one now.
    mutating func look(at calls: Set<String>, leased: Set<String>, now: Instant) -> Set<String> {
        let unowned = calls.subtracting(leased)
        since = since.filter { unowned.contains($0.key) }
        for call in unowned where since[call] == nil { since[call] = now }
        return unowned.filter { call in since[call].map { now - $0 >= Self.patience } ?? false }
    }

    /// Redis could not be asked: what was seen before proves nothing about the time between.
    mutating func forgetAll() { since = [:] }
}
