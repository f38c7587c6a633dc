import Contracts
import Synchronization

/// What this instance knows of runs beyond what PostgreSQL may remember, and since when PostgreSQL lives the life it lives.
final class Recollection: Sendable {
    private struct State: Sendable {
        var recent = RecentWrites()
        var life: String?
        var bornAt: ContinuousClock.Instant?
    }

    /// Within that everybody who lives has found PostgreSQL again, and has written what it had forgotten.
    private static let settling = Duration.seconds(3)

    private let state = Mutex(State())

    var all: [RecentWrites.Entry] { state.withLock { Array($0.recent.entries.values) } }

    func entry(of id: String, customerID: String) -> RecentWrites.Entry? {
        state.withLock { $0.recent.entries[id] }.flatMap { $0.stored.record.customerID == customerID ? $0 : nil }
    }

    func wrote(_ stored: StoredRun, _ events: [Event], _ sent: [Webhook]) {
        state.withLock { $0.recent.wrote(stored, events, sent, at: .now) }
    }

    func forget(writtenBefore moment: ContinuousClock.Instant) { state.withLock { $0.recent.forget(writtenBefore: moment) } }

    /// The life that PostgreSQL was seen to live. The first one seen is nobody's death.
    func saw(_ life: String) {
        state.withLock { state in
            if let known = state.life, known != life { state.bornAt = .now }
            state.life = life
        }
    }

    /// Whether others may not have written again yet what PostgreSQL had forgotten of theirs.
    var isSettling: Bool {
        state.withLock { state in state.bornAt.map { ContinuousClock.now - $0 < Self.settling } ?? false }
    }
}
