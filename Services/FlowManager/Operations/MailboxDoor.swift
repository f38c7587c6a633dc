import Cryptography
import Flow

/// Who may listen to what lies in a mailbox.
struct MailboxDoor: Sendable {
    struct Terms: Sendable {
        var rounds: Int
        /// Wrong PINs one after the other.
        var mostFailures: Int
        var lockedSeconds: Int
    }

    let store: Store
    let terms: Terms

    /// As a PIN is kept: with a salt, and slow to try.
    func hash(_ pin: String) -> String {
        SlowHash(of: pin, salt: (0..<SlowHash.saltLength).map { _ in UInt8.random(in: 0 ... .max) }, rounds: terms.rounds).text
    }

    /// Whether a mailbox is open, or that PIN opens it: `pin` says that it wants one, or another.
    func unlock(_ name: String, pin: String?, customerID: String) async throws -> DepotReply {
        guard let lock = try await store.lock(ofMailbox: name, customerID: customerID), let hash = lock.pinHash else { return .done }
        guard !lock.isLocked else { return .refused("locked") }
        guard let pin else { return .refused("pin") }
        let isRight = SlowHash(text: hash).isOf(pin)
        // Who tries many at once finds it locked by the time that the right one is there.
        let isOpen = try await store.noteTry(
            ofMailbox: name, customerID: customerID, isRight: isRight, most: terms.mostFailures, lockedSeconds: terms.lockedSeconds)
        guard isOpen else { return .refused("locked") }
        return isRight ? .done : .refused("pin")
    }
}
