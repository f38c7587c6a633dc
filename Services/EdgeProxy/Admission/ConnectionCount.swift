import Deadlines

/// How many connections each source holds on a loop, so that none takes the places of all (RELIABILITY O6).
struct ConnectionCount: ~Copyable {
    private let limit: Int
    private let knownFactor: Int
    private var counts: StalestTable<UInt32>

    /// `limit` zero: no limit; `knownFactor` is how many times that a source may hold from which accounts have authenticated, as an
    /// office behind one address. `total` is what the loop accepts from all.
    init(limit: Int, knownFactor: Int = 1, total: Int) {
        (self.limit, self.knownFactor) = (limit, max(1, knownFactor))
        counts = StalestTable(capacity: total * 2, empty: 0)
    }

    /// False when the source holds as many as it may. One that finds no place in the table is not counted: that many sources
    /// cannot each be taking more than their share.
    mutating func open(_ source: Source, isKnown: Bool = false, now: Instant) -> Bool {
        guard limit > 0, !source.isExempt else { return true }
        let limit = isKnown ? limit * knownFactor : limit
        return counts.updateIfRoom(source.key, now: now) { count in
            guard count < UInt32(clamping: limit) else { return false }
            count += 1
            return true
        } ?? true
    }

    /// Of each connection that `open` admitted.
    mutating func close(_ source: Source, now: Instant) {
        guard limit > 0, !source.isExempt else { return }
        let left = counts.updateKnown(source.key, now: now) { count -> UInt32 in
            if count > 0 { count -= 1 }
            return count
        }
        if left == 0 { counts.remove(source.key) }
    }

    func held(_ source: Source) -> Int { Int(counts.find(source.key) ?? 0) }
}
