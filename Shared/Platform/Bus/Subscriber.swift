internal import Contracts
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Threads

/// Hands the events of one durable queue to their reader in the order they come in: those that arrive while it is at work are its next batch.
///
/// A transient failure is tried again here, holding the batch (and by the prefetch, the queue). After any other each event is read by itself,
/// and what fails then goes back to the broker, which delivers it once more and then puts it to the dead letters.
final class Subscriber: Sendable {
    typealias Body = @Sendable ([WrittenEvent]) async throws -> Void

    private struct Item: Sendable {
        let event: WrittenEvent
        let receipt: Receipt?
    }

    private struct State: Sendable {
        var waiting: [Item] = []
        /// In the reader's hands.
        var reading = 0
        /// There is a task, which takes what waits.
        var isActive = false
        var isStopped = false
    }

    /// Who publishes does so in bursts: so long the first of one waits for the others.
    private static let linger = Duration.milliseconds(5)
    private static let rejected = Counter("tandem_bus_rejected_events_total", "Events their subscriber could not use.")

    let queue: String
    private let body: Body
    private let logger: Logger
    private let state = Mutex(State())

    init(queue: String, logger: Logger, _ body: @escaping Body) { (self.queue, self.logger, self.body) = (queue, logger, body) }

    var running: Int { state.withLock { $0.reading } }

    /// What is not settled by now the broker gives to another instance.
    func stop() { state.withLock { $0.isStopped = true } }

    func receive(_ arrival: Arrival, over transport: any Transport) {
        let event: WrittenEvent
        do { event = try WrittenEvent(text: arrival.body) } catch {
            Self.rejected.add()
            logger.error("an event of \(queue) cannot be read: \(error)")
            if let receipt = arrival.receipt { transport.settle(receipt, .dead) }
            return
        }
        let isFirst = state.withLock { state in
            // Their number is bounded by the prefetch.
            state.waiting.append(Item(event: event, receipt: arrival.receipt))
            defer { state.isActive = true }
            return !state.isActive
        }
        guard isFirst else { return }
        Task {
            try? await Task.sleep(for: Self.linger)
            while let batch = next() {
                if await read(batch, over: transport) { continue }
                for item in batch {
                    if batch.count > 1, await read([item], over: transport) { continue }
                    reject(item, over: transport)
                }
            }
        }
    }

    private func next() -> [Item]? {
        state.withLock { state in
            let batch = state.isStopped ? [] : state.waiting
            (state.waiting, state.reading, state.isActive) = ([], batch.count, !batch.isEmpty)
            return batch.isEmpty ? nil : batch
        }
    }

    /// False when they failed for good.
    private func read(_ batch: [Item], over transport: any Transport) async -> Bool {
        var backoff = Backoff()
        while !state.withLock({ $0.isStopped }) {
            do {
                try await body(batch.map(\.event))
                transport.settle(batch.compactMap(\.receipt))
                return true
            } catch let error as any TransientError where error.isTransient {
                logger.debug("\(batch.count) events of \(queue) are tried again: \(error)")
                let pause = backoff.next(random: .random(in: 0 ... .max))
                try? await Task.sleep(nanoseconds: UInt64(pause.nanoseconds))
            } catch {
                if batch.count == 1 { logger.error("event \(batch[0].event.id) \(batch[0].event.type) of \(queue) failed: \(error)") }
                return false
            }
        }
        return true
    }

    private func reject(_ item: Item, over transport: any Transport) {
        Self.rejected.add()
        if let receipt = item.receipt { transport.settle(receipt, .again) }
    }
}
