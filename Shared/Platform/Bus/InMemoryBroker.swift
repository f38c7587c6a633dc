internal import Contracts
internal import Deadlines
internal import Synchronization
internal import Threads

/// A broker in memory, for tests: several `Bus`es on it talk as they would over RabbitMQ, without a server.
///
/// Queues, bindings, acknowledgement, redelivery and delivery limits behave as on RabbitMQ; nothing survives the process.
public final class InMemoryBroker: Sendable {
    /// One message in a queue, and how often it has been delivered.
    private struct Waiting: Sendable {
        let message: Message
        var deliveries = 0
    }

    private struct Unsettled: Sendable {
        let queue: String
        let consumer: UInt64
        let waiting: Waiting
    }

    private struct Consumer: Sendable {
        let id: UInt64
        let source: Source
        let deliver: @Sendable (Arrival) -> Void
    }

    private struct Queue: Sendable {
        var isDurable: Bool
        var waiting: [Waiting] = []
        var consumers: [Consumer] = []
        var turn = 0
    }

    private struct State: Sendable {
        var queues: [String: Queue] = [:]
        var bindings: [(exchange: String, pattern: TopicPattern, queue: String)] = []
        var unsettled: [UInt64: Unsettled] = [:]
        var nextTag: UInt64 = 1
        var nextConsumer: UInt64 = 1
        var isAway = false
        var dead: [Message] = []
    }

    private static let deliveryLimit = 2
    private let state = Mutex(State())

    public init() {}

    /// How many messages ended among the dead letters.
    public var deadLetters: Int { dead.count }

    var dead: [Message] { state.withLock { $0.dead } }

    /// While true, the broker behaves like one that has been killed.
    public var isAway: Bool {
        get { state.withLock { $0.isAway } }
        set { state.withLock { $0.isAway = newValue } }
    }

    func newConsumer() -> UInt64 {
        state.withLock { state in
            defer { state.nextConsumer += 1 }
            return state.nextConsumer
        }
    }

    func consume(
        _ queue: String, isDurable: Bool, bound: [(exchange: String, pattern: String)], as source: Source, consumer: UInt64,
        _ deliver: @escaping @Sendable (Arrival) -> Void
    ) {
        state.withLock { state in
            for (exchange, text) in bound {
                let pattern = TopicPattern(text)
                let isBound = state.bindings.contains { $0.exchange == exchange && $0.pattern == pattern && $0.queue == queue }
                if !isBound { state.bindings.append((exchange, pattern, queue)) }
            }
            state.queues[queue, default: Queue(isDurable: isDurable)].consumers.append(
                Consumer(id: consumer, source: source, deliver: deliver))
            Self.flush(queue, &state)
        }
    }

    /// The consumer is gone: what it had not settled is delivered to another; queues of its own vanish.
    func cancel(_ consumer: UInt64, where isCancelled: (Source) -> Bool) {
        state.withLock { state in
            for name in Array(state.queues.keys) {
                guard var queue = state.queues[name] else { continue }
                let before = queue.consumers.count
                queue.consumers.removeAll { $0.id == consumer && isCancelled($0.source) }
                guard queue.consumers.count < before else { continue }
                guard queue.isDurable || !queue.consumers.isEmpty else {
                    state.queues[name] = nil
                    state.bindings.removeAll { $0.queue == name }
                    continue
                }
                state.queues[name] = queue
                for (tag, unsettled) in state.unsettled where unsettled.queue == name && unsettled.consumer == consumer {
                    state.unsettled[tag] = nil
                    Self.giveBack(unsettled, &state)
                }
                Self.flush(name, &state)
            }
        }
    }

    /// False when no queue takes the message.
    func publish(_ message: Message) -> Bool {
        state.withLock { state in
            var queues: [String] = []
            if message.exchange == Exchange.dead {
                state.dead.append(message)
                return true
            } else if message.exchange == Exchange.direct {
                queues = state.queues[message.routingKey] == nil ? [] : [message.routingKey]
            } else {
                let keys = [message.routingKey] + message.furtherKeys
                let bound = state.bindings.filter { $0.exchange == message.exchange && keys.contains(where: $0.pattern.matches) }
                queues = Set(bound.map(\.queue)).sorted()
            }
            for queue in queues {
                state.queues[queue]?.waiting.append(Waiting(message: message))
                Self.flush(queue, &state)
            }
            return !queues.isEmpty
        }
    }

    func settle(_ tag: UInt64, _ verdict: Verdict) {
        state.withLock { state in
            guard let unsettled = state.unsettled.removeValue(forKey: tag) else { return }
            switch verdict {
            case .done: break
            case .dead: state.dead.append(unsettled.waiting.message)
            case .again:
                Self.giveBack(unsettled, &state)
                Self.flush(unsettled.queue, &state)
            }
        }
    }

    private static func giveBack(_ unsettled: Unsettled, _ state: inout State) {
        if unsettled.waiting.deliveries >= deliveryLimit, state.queues[unsettled.queue]?.consumers.first?.source != .shared {
            state.dead.append(unsettled.waiting.message)
        } else {
            state.queues[unsettled.queue]?.waiting.insert(unsettled.waiting, at: 0)
        }
    }

    /// Delivers what waits, to the consumers in turn.
    private static func flush(_ name: String, _ state: inout State) {
        guard var queue = state.queues[name], !queue.consumers.isEmpty else { return }
        for var waiting in queue.waiting {
            let consumer = queue.consumers[queue.turn % queue.consumers.count]
            queue.turn += 1
            waiting.deliveries += 1
            var receipt: Receipt?
            switch consumer.source {
            case .replies, .instance, .transient: break
            case .shared, .subscription:
                receipt = Receipt(connection: 0, channel: 0, tag: state.nextTag)
                state.unsettled[state.nextTag] = Unsettled(queue: name, consumer: consumer.id, waiting: waiting)
                state.nextTag += 1
            }
            consumer.deliver(
                Arrival(
                    source: consumer.source, routingKey: waiting.message.routingKey, properties: waiting.message.properties,
                    body: waiting.message.body, isRedelivered: waiting.deliveries > 1, receipt: receipt,
                    at: MonotonicClock.now()))
        }
        queue.waiting = []
        state.queues[name] = queue
    }
}

/// Memory as the carrier: one thread per bus, on which everything arrives.
final class InMemoryTransport: Transport {
    private let broker: InMemoryBroker
    private let thread = ConnectionThread(name: "bus-memory", capacity: 65_536)
    private let consumer: UInt64
    private let receiver = Mutex<(any Receiver)?>(nil)
    private let queueName: String

    init(_ broker: InMemoryBroker) {
        self.broker = broker
        consumer = broker.newConsumer()
        queueName = "replies.\(consumer)"
    }

    func start(_ topology: Topology, _ receiver: any Receiver) {
        self.receiver.withLock { $0 = receiver }
        thread.start { [weak receiver] _ in
            let now = MonotonicClock.now()
            let due = receiver?.tick(now: now) ?? .distantFuture
            return .init(limit: min(.seconds(1), max(.zero, due - now)))
        }
        let deliver: @Sendable (Arrival) -> Void = { [thread, weak receiver] arrival in
            _ = thread.submit { [weak receiver] in receiver?.arrived(arrival) }
        }
        func consume(_ queue: String, _ isDurable: Bool, _ bound: [(String, String)], _ source: Source) {
            broker.consume(queue, isDurable: isDurable, bound: bound, as: source, consumer: consumer, deliver)
        }
        consume(queueName, false, [], .replies)
        if topology.servesShared { consume(topology.shared, true, [(Exchange.commands, topology.shared)], .shared) }
        if topology.servesInstance { consume(topology.instance, false, [(Exchange.commands, topology.instance)], .instance) }
        if !topology.transientPatterns.isEmpty {
            consume("transient.\(consumer)", false, topology.transientPatterns.map { (Exchange.events, $0) }, .transient)
        }
        for (index, subscription) in topology.subscriptions.enumerated() {
            consume(subscription.queue, true, subscription.patterns.map { (Exchange.events, $0) }, .subscription(index))
        }
    }

    func waitUntilOpen() async {}

    func retire() {
        broker.cancel(consumer) {
            switch $0 {
            case .shared, .subscription: true
            case .replies, .instance, .transient: false
            }
        }
    }

    func stop() {
        broker.cancel(consumer) { _ in true }
        thread.stop()
    }

    var obstacle: String? { broker.isAway ? "the broker is away" : nil }
    var replyQueue: String? { broker.isAway ? nil : queueName }

    func send(_ message: Message) -> Bool {
        guard !broker.isAway else { return false }
        if !broker.publish(message), message.isMandatory, let correlation = message.properties.correlation {
            let receiver = receiver.withLock { $0 }
            receiver?.unserved(correlation, "nobody serves \(message.properties.type)")
        }
        return true
    }

    func sendConfirmed(_ messages: [Message], _ completion: @escaping @Sendable (Result<Void, RPCError>) -> Void) {
        guard !broker.isAway else { return completion(.failure(RPCError(.unavailable, "the broker is away"))) }
        for message in messages { _ = broker.publish(message) }
        completion(.success(()))
    }

    func settle(_ receipt: Receipt, _ verdict: Verdict) { broker.settle(receipt.tag, verdict) }
    func settle(_ receipts: [Receipt]) { for receipt in receipts { broker.settle(receipt.tag, .done) } }

    func wake(at instant: Instant) { _ = thread.submit {} }
}
