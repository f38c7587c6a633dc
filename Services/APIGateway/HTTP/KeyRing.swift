import Cryptography
import Deadlines
import Synchronization
import Threads

/// Whom a key belongs to: looked up by its digest, and believed for a few seconds.
final class KeyRing: Sendable {
    /// How long another instance may still accept a key that was revoked here.
    private static let freshness = Interval.seconds(3)
    private static let mostRemembered = 10_000

    private struct Entry {
        /// Nil for a key that does not exist: a wrong key tried again and again costs one query per `freshness`.
        let principal: Principal?
        let until: Instant
    }

    private let store: AccountStore
    /// The digest of the operator's key, when there is one.
    private let bootstrap: [UInt8]?
    private let entries = Mutex<[[UInt8]: Entry]>([:])

    init(store: AccountStore, bootstrapKey: String) {
        self.store = store
        bootstrap = bootstrapKey.isEmpty ? nil : APIKey.digest(bootstrapKey)
    }

    /// Nil when the key is unknown or has expired.
    func principal(bearing secret: String) async throws -> Principal? {
        // Only digests are compared, so the time it takes tells nothing about a stored key.
        let digest = APIKey.digest(secret)
        if let bootstrap, equalInConstantTime(bootstrap, digest) { return .operatorKey }
        let now = MonotonicClock.now()
        if let entry = entries.withLock({ $0[digest] }), entry.until > now { return entry.principal }
        let found = try await store.principal(digest: digest)
        entries.withLock { entries in
            if entries.count >= Self.mostRemembered { entries = entries.filter { $0.value.until > now } }
            if entries.count >= Self.mostRemembered { entries.removeAll(keepingCapacity: true) }
            entries[digest] = Entry(principal: found, until: now + Self.freshness)
        }
        return found
    }

    /// After a key or customer was changed here.
    func forget() { entries.withLock { $0.removeAll(keepingCapacity: true) } }
}
