import Contracts
import Synchronization

/// What this instance knows of runs beyond what PostgreSQL may remember, and whether the others still write again what it has lost of theirs.
final class Recollection: Sendable {
    private struct State: Sendable {
        var recent = RecentWrites()
        var settling = Settling()
    }

    private let state = Mutex(State())

    var all: [RecentWrites.Entry] { state.withLock { Array($0.recent.entries.values) } }

    func entry(of id: String, customerID: String) -> RecentWrites.Entry? {
        state.withLock { $0.recent.entries[id] }.flatMap { $0.stored.record.customerID == customerID ? $0 : nil }
    }

    func wrote(_ stored: StoredRun, _ events: [Event], _ sent: [Webhook]) {
        state.withLock { $0.recent.wrote(stored, events, sent, at: .now) }
    }

    func forget(writtenBefore moment: ContinuousClock.Instant) { state.withLock { $0.recent.forget(writtenBefore: moment) } }

    func saw(_ life: String) { state.withLock { $0.settling.saw(life, at: .now) } }

    func heard(_ through: Set<String>, in life: String, others: [String]) {
        state.withLock { $0.settling.heard(through, in: life, others: others) }
    }

    /// Whether others may not have written again yet what PostgreSQL had forgotten of theirs.
    var isSettling: Bool { state.withLock { $0.settling.isUnderWay(at: .now) } }
}
