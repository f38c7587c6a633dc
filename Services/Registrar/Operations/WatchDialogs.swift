import Bus
import Contracts
import Flow
import JSONCoding
import ServiceKit

/// Takes what call servers tell of the dialogs of watched extensions (RFC 4235); any instance does, and any then sends the NOTIFYs.
struct WatchDialogs: Sendable {
    static let queue = "registrar.dialogs"

    let store: Store
    let notify: NotifyWatchers

    func take(_ events: [Event]) async throws {
        for event in events {
            guard let change = try? JSONText.decode(DialogChanged.self, from: JSONText.encode(event.data)) else { continue }
            try await store.noteDialog(change, customer: event.customerID)
        }
        notify.wake()
    }
}
