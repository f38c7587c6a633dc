internal import Contracts
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Threads

/// Hands the events of one durable queue to their reader in the order they come in: those that arrive while it is at work are its next batch.
///
/// A transient failure is tried again here, holding the batch (and by the prefetch, the queue). After any other each message is read by itself,
/// then each event. One that fails then goes back to the broker, which delivers it once more and then puts it to the dead letters; if it came
/// with others, it goes back as a message of its own.
final class Subscriber: Sendable {
    typealias Body = @Sendable ([WrittenEvent]) async throws -> Void

    /// A message.
    private struct Item: Sendable {
        let properties: Properties
        let receipt: Receipt?
        /// Those of its events that are read here; perhaps none.
        var events: [WrittenEvent] = []
        /// Texts in it that are no events.
        var unreadable: [[UInt8]] = []
    }

    private enum Outcome { case done, failed, stopped }

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
    /// Bounds what a reader makes one statement of, and what it reads again after a failure.
    private static let mostEvents = 500
    private static let rejected = Counter("tandem_bus_rejected_events_total", "Events their subscriber could not use.")

    let queue: String
    private let matchers: [TopicPattern]
    private let body: Body
    private let logger: Logger
    private let state = Mutex(State())

    init(queue: String, matchers: [TopicPattern], logger: Logger, _ body: @escaping Body) {
        (self.queue, self.matchers, self.body, self.logger) = (queue, matchers, body, logger)
    }

    var running: Int { state.withLock { $0.reading } }

    /// What is not settled by now the broker gives to another instance.
    func stop() { state.withLock { $0.isStopped = true } }

    func receive(_ arrival: Arrival, over transport: any Transport) {
        var item = Item(properties: arrival.properties, receipt: arrival.receipt)
        for text in arrival.texts {
            do {
                let event = try WrittenEvent(text: text)
                // That one event of a batch is for this queue is all the broker knows.
                if !item.properties.isBatch || matchers.match(event.type) { item.events.append(event) }
            } catch {
                Self.rejected.add()
                logger.error("an event of \(queue) cannot be read: \(error)")
                guard item.properties.isBatch else {
                    if let receipt = arrival.receipt { transport.settle(receipt, .dead) }
                    return
                }
                item.unreadable.append(text)
            }
        }
        let isFirst = state.withLock { state in
            // Their number is bounded by the prefetch. One that has nothing for this reader waits, too: it is acknowledged in its turn.
            state.waiting.append(item)
            defer { state.isActive = true }
            return !state.isActive
        }
        guard isFirst else { return }
        Task {
            try? await Task.sleep(for: Self.linger)
            while let items = next() {
                if await read(items, over: transport) { continue }
                for item in items {
                    if items.count > 1, await read([item], over: transport) { continue }
                    await takeApart(item, over: transport)
                }
            }
        }
    }

    private func next() -> [Item]? {
        state.withLock { state in
            if state.isStopped { state.waiting = [] }
            var (count, events) = (0, 0)
            for item in state.waiting {
                events += item.events.count
                if count > 0, events > Self.mostEvents { break }
                count += 1
            }
            let items = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            (state.reading, state.isActive) = (count, count > 0)
            return items.isEmpty ? nil : items
        }
    }

    /// False when they failed for good.
    private func read(_ items: [Item], over transport: any Transport) async -> Bool {
        switch await tell(items.flatMap(\.events)) {
        case .done: await finish(items, over: transport)
        case .stopped: break
        case .failed: return false
        }
        return true
    }

    private func tell(_ events: [WrittenEvent]) async -> Outcome {
        var backoff = Backoff()
        while !state.withLock({ $0.isStopped }) {
            do {
                if !events.isEmpty { try await body(events) }
                return .done
            } catch let error as any TransientError where error.isTransient {
                logger.debug("\(events.count) events of \(queue) are tried again: \(error)")
                await pause(&backoff)
            } catch {
                if events.count == 1 { logger.error("event \(events[0].id) \(events[0].type) of \(queue) failed: \(error)") }
                return .failed
            }
        }
        return .stopped
    }

    /// One that failed by itself.
    private func takeApart(_ item: Item, over transport: any Transport) async {
        guard item.properties.isBatch else { return reject(item, over: transport) }
        var failed = item.events
        if failed.count > 1 {
            failed = []
            for event in item.events {
                switch await tell([event]) {
                case .done: continue
                case .failed: failed.append(event)
                case .stopped: return
                }
            }
        }
        await finish([item], leaving: failed, over: transport)
    }

    private func reject(_ item: Item, over transport: any Transport) {
        Self.rejected.add()
        if let receipt = item.receipt { transport.settle(receipt, .again) }
    }

    /// They are done when the broker has on disk what is left of them: events that come back to this queue alone, texts for the dead letters.
    /// Until then nothing behind them is read, for it would be acknowledged together with them.
    private func finish(_ items: [Item], leaving failed: [WrittenEvent] = [], over transport: any Transport) async {
        var left = items.flatMap { item in item.unreadable.map { deadLetter($0, of: item) } }
        for event in failed {
            var message = Message(event, sender: items[0].properties.sender)
            (message.exchange, message.routingKey) = (Exchange.direct, queue)
            left.append(message)
        }
        var backoff = Backoff()
        while !left.isEmpty {
            // Stopped, they are delivered again to another instance.
            guard !state.withLock({ $0.isStopped }) else { return }
            switch await transport.sendConfirmed(left) {
            case .success: left = []
            case .failure(let error):
                logger.debug("\(left.count) events of \(queue) wait to be put aside: \(error)")
                await pause(&backoff)
            }
        }
        transport.settle(items.compactMap(\.receipt))
    }

    private func deadLetter(_ text: [UInt8], of item: Item) -> Message {
        var properties = item.properties
        properties.isPersistent = true
        return Message(exchange: Exchange.dead, routingKey: queue, properties: properties, body: text)
    }

    private func pause(_ backoff: inout Backoff) async {
        let pause = backoff.next(random: .random(in: 0 ... .max))
        // Throws only when cancelled, which nobody does.
        try? await Task.sleep(nanoseconds: UInt64(pause.nanoseconds))
    }
}
