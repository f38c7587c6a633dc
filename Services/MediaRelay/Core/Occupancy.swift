import Synchronization

/// How many sessions all threads of the process carry together, and how many they may.
final class Occupancy: Sendable {
    let limit: Int
    private let sessions = Atomic<Int>(0)
    private let closed = Atomic<Bool>(false)
    /// Told the share that is taken whenever it changes.
    private let changed: @Sendable (Double) -> Void

    init(limit: Int, changed: @escaping @Sendable (Double) -> Void) { (self.limit, self.changed) = (limit, changed) }

    /// This relay is leaving: it takes no more sessions.
    var isClosed: Bool { closed.load(ordering: .relaxed) }

    func close() { closed.store(true, ordering: .relaxed) }

    var count: Int { sessions.load(ordering: .relaxed) }

    /// False when all places are taken.
    func add() -> Bool {
        let count = sessions.add(1, ordering: .relaxed).newValue
        guard count <= limit else {
            sessions.subtract(1, ordering: .relaxed)
            return false
        }
        changed(Double(count) / Double(limit))
        return true
    }

    func remove() {
        let count = sessions.subtract(1, ordering: .relaxed).newValue
        changed(Double(count) / Double(limit))
    }
}
