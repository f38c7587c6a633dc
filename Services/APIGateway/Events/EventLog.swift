import Bus
import Contracts
import Database
import Telemetry

/// Stores the events of all services as they come from the bus: those that arrive while one batch is written are the next one.
///
/// The bus hands over the events of one resource one after the other, so their order is kept.
actor EventLog {
    /// Everything that customers see; not the announcements of instances, nor our own signals.
    static let patterns = [
        "call", "run", "flow", "conference", "participant", "recording", "stream", "transcript", "extension", "registration", "customer",
    ].map { $0 + ".#" }

    static let queue = "apigateway.events"
    private static let largestBatch = 200
    private static let stored = Counter("tandem_api_events_stored_total", "Events written to the log.")

    private struct Waiting {
        let event: Event
        let done: CheckedContinuation<Void, any Error>
    }

    private let store: AccountStore
    private let announce: @Sendable () -> Void
    private var waiting: [Waiting] = []
    private var isWriting = false

    /// `announce` wakes the streams of all instances.
    init(store: AccountStore, announce: @escaping @Sendable () -> Void) { (self.store, self.announce) = (store, announce) }

    /// Returns once the event is stored, which may be for the second time.
    func append(_ event: Event) async throws {
        if isWriting {
            return try await withCheckedThrowingContinuation { waiting.append(Waiting(event: event, done: $0)) }
        }
        isWriting = true
        let outcome = await write([event])
        // Whoever has waited meanwhile is served by this task; the bus bounds their number by its prefetch.
        while !waiting.isEmpty {
            let batch = Array(waiting.prefix(Self.largestBatch))
            waiting.removeFirst(batch.count)
            for (one, result) in zip(batch, await write(batch.map(\.event))) { one.done.resume(with: result) }
        }
        isWriting = false
        try outcome.first?.get()
    }

    private func write(_ events: [Event]) async -> [Result<Void, any Error>] {
        do {
            try await store.append(events)
            Self.stored.add(UInt64(events.count))
            announce()
            return events.map { _ in .success(()) }
        } catch where events.count > 1 && !StoreUnavailable.isTransient(error) {
            // One of them cannot be stored: it must not take the others along.
            var results: [Result<Void, any Error>] = []
            for event in events { results += await write([event]) }
            return results
        } catch {
            let error = StoreUnavailable.isTransient(error) ? StoreUnavailable() : error
            return events.map { _ in .failure(error) }
        }
    }
}

/// PostgreSQL is away: the bus holds the event and tries again.
struct StoreUnavailable: TransientError {
    var isTransient: Bool { true }

    static func isTransient(_ error: any Error) -> Bool {
        if case .unavailable? = error as? DatabaseError { return true }
        return false
    }
}
