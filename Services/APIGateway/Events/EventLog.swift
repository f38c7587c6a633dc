import Bus
import Contracts
import Database
import Telemetry

/// Stores the events of all services as they come from the bus, a batch at a time in the order they came.
struct EventLog: Sendable {
    /// Everything that customers see; not the announcements of instances, nor our own signals.
    static let patterns = [
        "call", "run", "flow", "conference", "participant", "recording", "voicemail", "mailbox", "stream", "transcript", "extension", "registration", "customer",
    ].map { $0 + ".#" }

    static let queue = "apigateway.events"
    private static let stored = Counter("tandem_api_events_stored_total", "Events written to the log.")

    let store: AccountStore
    /// Wakes the streams of all instances.
    let announce: @Sendable () -> Void

    /// Returns once the events are stored, which may be for the second time.
    func append(_ events: [WrittenEvent]) async throws {
        do { try await store.append(events) } catch {
            throw StoreUnavailable.isTransient(error) ? StoreUnavailable() : error
        }
        Self.stored.add(UInt64(events.count))
        announce()
    }
}

/// PostgreSQL is away: the bus holds the event and tries again.
struct StoreUnavailable: TransientError {
    var isTransient: Bool { true }

    static func isTransient(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        if case .unavailable = error { return true }
        return error.isConflict
    }
}
