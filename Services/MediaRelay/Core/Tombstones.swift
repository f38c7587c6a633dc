import Contracts
import Deadlines

/// The sessions that ended lately and what they were like: asked again, a delete gives the same answer, and a create that was
/// overtaken by it does not bring the session back (RELIABILITY §4.5).
struct Tombstones {
    static let lifetime = Interval.seconds(120)
    private static let limit = 16_384

    struct Stone {
        var epoch: UInt64
        var statistics: MediaStatistics
    }

    private var stones: [String: Stone] = [:]
    /// In order of death; those before `oldest` have been removed.
    private var order: [(id: String, until: Instant)] = []
    private var oldest = 0

    var count: Int { stones.count }

    subscript(id: String) -> Stone? { stones[id] }

    /// Each with the end of its time.
    var all: [(id: String, stone: Stone, until: Instant)] {
        order[oldest...].compactMap { entry in stones[entry.id].map { (entry.id, $0, entry.until) } }
    }

    mutating func bury(_ id: String, _ stone: Stone, now: Instant) { bury(id, stone, until: now + Self.lifetime) }

    mutating func bury(_ id: String, _ stone: Stone, until end: Instant) {
        guard stones.updateValue(stone, forKey: id) == nil else { return }
        order.append((id, end))
        if stones.count > Self.limit { removeOldest() }
    }

    /// Those whose time has come.
    @discardableResult
    mutating func expire(now: Instant) -> [String] {
        let first = oldest
        var end = oldest
        while end < order.count, order[end].until <= now { end += 1 }
        let expired = order[first..<end].map(\.id)
        for _ in expired { removeOldest() }
        return expired
    }

    private mutating func removeOldest() {
        stones[order[oldest].id] = nil
        oldest += 1
        guard oldest > Self.limit else { return }
        order.removeFirst(oldest)
        oldest = 0
    }
}
