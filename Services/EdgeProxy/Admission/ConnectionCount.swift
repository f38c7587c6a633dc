import Deadlines

/// How many connections each source holds on a loop, so that none takes the places of all (RELIABILITY O6).
struct ConnectionCount: ~Copyable {
    private let limit: Int
    private var counts: StalestTable<UInt32>

    /// `limit` zero: no limit. `total` is what the loop accepts from all.
    init(limit: Int, total: Int) {
        self.limit = limit
        counts = StalestTable(capacity: total * 2, empty: 0)
    }

    /// False when the source holds as many as it may. One that finds no place in the table is not counted: that many sources
    /// cannot each be taking more than their share.
    mutating func open(_ source: Source, now: Instant) -> Bool {
        guard limit > 0, !source.isExempt else { return true }
        let limit = limit
        return counts.updateIfRoom(source.key, now: now) { count in
            guard count < UInt32(clamping: limit) else { return false }
            count += 1
            return true
        } ?? true
    }

    /// Of each connection that `open` admitted.
    mutating func close(_ source: Source, now: Instant) {
        let left = counts.updateKnown(source.key, now: now) { count -> UInt32 in
            if count > 0 { count -= 1 }
            return count
        }
        if left == 0 { counts.remove(source.key) }
    }

    func held(_ source: Source) -> Int { Int(counts.find(source.key) ?? 0) }
}
