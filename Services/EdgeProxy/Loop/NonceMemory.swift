import Deadlines
import SIP
import Synchronization

/// The nonce counts that were used at this edge, for all its loops: a phone's next request may come to another of them.
///
/// Other edges have their own: there a stolen credential could be used once more, until its nonce expires, and only from the
/// address that the nonce was given to.
final class NonceMemory: Sendable {
    private let window: Mutex<NonceWindow>
    private let hash: KeyedHash

    /// `seed` is random.
    init(capacity: Int, seed: (UInt64, UInt64)) {
        window = Mutex(NonceWindow(capacity: capacity))
        hash = KeyedHash(key: seed.0, seed.1)
    }

    /// Only for credentials that were found authentic: strangers must not push out what it knows.
    func use(_ pending: PendingAuthentication, now: Instant) -> NonceWindow.Verdict {
        let credentials = pending.credentials
        let key = hash.hash(hash.hash(user: credentials.nonce, domain: pending.key.domain), hash.hash(user: pending.key.user, domain: ""))
        let message = hash.hash(pending.message.bytes.span)
        return window.withLock { $0.use(credentials.nonceCount, key: key, message: message, now: now) }
    }
}
