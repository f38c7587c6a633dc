internal import Contracts
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Threads

/// Hands the events of one durable queue to their reader: in order per resource, several resources at once.
///
/// A transient failure is tried again here, holding the event (and by the prefetch, the queue); any other goes back to the
/// broker, which delivers it once more and then puts it to the dead letters.
final class Subscriber: Sendable {
    typealias Body = @Sendable (Event) async throws -> Void

    private struct Item: Sendable {
        let event: Event
        let receipt: Receipt?
    }

    private struct State: Sendable {
        /// The events of a resource that wait while one of the same resource is being read; present = one is.
        var lanes: [String: [Item]] = [:]
        var isStopped = false
    }

    private static let rejected = Counter("tandem_bus_rejected_events_total", "Events their subscriber could not use.")

    let queue: String
    private let body: Body
    private let logger: Logger
    private let state = Mutex(State())

    init(queue: String, logger: Logger, _ body: @escaping Body) { (self.queue, self.logger, self.body) = (queue, logger, body) }

    var running: Int { state.withLock { $0.lanes.count } }

    /// What is not settled by now the broker gives to another instance.
    func stop() { state.withLock { $0.isStopped = true } }

    func receive(_ arrival: Arrival, over transport: any Transport) {
        let event: Event
        do { event = try JSON.decode(Event.self, arrival.body) } catch {
            Self.rejected.add()
            logger.error("an event of \(queue) cannot be read: \(error.detail)")
            if let receipt = arrival.receipt { transport.settle(receipt, .dead) }
            return
        }
        let item = Item(event: event, receipt: arrival.receipt)
        let isFirst = state.withLock { state in
            if state.lanes[event.resourceID]?.append(item) != nil { return false }
            state.lanes[event.resourceID] = []
            return true
        }
        guard isFirst else { return }
        // Bounded by the prefetch; ends with its lane.
        Task {
            var item = item
            repeat { await read(item, over: transport) } while next(event.resourceID, &item)
        }
    }

    private func next(_ resource: String, _ item: inout Item) -> Bool {
        state.withLock { state in
            guard !state.isStopped, let waiting = state.lanes[resource], let first = waiting.first else {
                state.lanes[resource] = nil
                return false
            }
            item = first
            state.lanes[resource] = Array(waiting.dropFirst())
            return true
        }
    }

    private func read(_ item: Item, over transport: any Transport) async {
        var backoff = Backoff()
        while !state.withLock({ $0.isStopped }) {
            do {
                try await body(item.event)
                if let receipt = item.receipt { transport.settle(receipt, .done) }
                return
            } catch let error as any TransientError where error.isTransient {
                logger.debug("event \(item.event.id) of \(queue) is tried again: \(error)")
                let pause = backoff.next(random: .random(in: 0 ... .max))
                try? await Task.sleep(nanoseconds: UInt64(pause.nanoseconds))
            } catch {
                Self.rejected.add()
                logger.error("event \(item.event.id) \(item.event.type) of \(queue) failed: \(error)")
                if let receipt = item.receipt { transport.settle(receipt, .again) }
                return
            }
        }
    }
}
