public import Contracts
internal import Deadlines
internal import FoundationEssentials
public import Logging
internal import Synchronization
internal import Telemetry
internal import Threads

/// The bus of DESIGN §4 as a service sees it: commands that are answered, events that are told.
///
/// Everything served and subscribed is registered before `start()`. Calls never block: while the broker is away or takes
/// nothing they fail at once with `unavailable`, and an answer that does not come in time is a `timeout`.
public final class Bus: Sendable {
    typealias Completion = @Sendable (Result<[UInt8], RPCError>) -> Void

    struct Registrations: Sendable {
        var subscribers: [(subscriber: Subscriber, patterns: [String], isOrdered: Bool, prefetch: UInt16)] = []
        var listeners: [(patterns: [String], matchers: [TopicPattern], body: @Sendable (Event) -> Void)] = []
        var isStarted = false
    }

    private static let outstandingLimit = 8_192
    private static let drainLimit = Interval.seconds(5)

    let transport: any Transport
    let performer: Performer
    let logger: Logger
    let service: ServiceName
    let instance: String
    let eventsTogether: Int
    /// How this process names itself to others.
    let name: String
    let registrations = Mutex(Registrations())
    private let ledger = Mutex(RequestLedger<Completion>(limit: Bus.outstandingLimit))
    private let nextCorrelation = Atomic<UInt64>(.random(in: 0 ... .max))

    public convenience init(settings: Settings, service: ServiceName, instance: String, logger: Logger) {
        self.init(
            transport: RabbitMQTransport(settings, logger: logger), service: service, instance: instance, logger: logger,
            eventsTogether: settings.eventsTogether)
    }

    /// A bus on a broker in memory: for tests.
    public convenience init(
        inMemory broker: InMemoryBroker, service: ServiceName, instance: String, logger: Logger = Logger(label: "bus")
    ) {
        self.init(transport: InMemoryTransport(broker), service: service, instance: instance, logger: logger)
    }

    init(
        transport: any Transport, service: ServiceName, instance: String, logger: Logger, eventsTogether: Int = EventBatch.mostEvents
    ) {
        self.eventsTogether = eventsTogether
        (self.transport, self.service, self.instance, self.logger) = (transport, service, instance, logger)
        name = Self.queue(of: service, instance)
        performer = Performer(sender: name, logger: logger)
    }

    /// Connects, and returns when the broker is there; says every few seconds what is missing.
    public func start() async {
        let registrations = self.registrations.withLock { registrations in
            registrations.isStarted = true
            return registrations
        }
        var topology = Topology(shared: service.rawValue, instance: name)
        (topology.servesShared, topology.servesInstance) = performer.scopes
        topology.transientPatterns = Array(Set(registrations.listeners.flatMap(\.patterns))).sorted()
        topology.subscriptions = registrations.subscribers.map {
            .init(queue: $0.subscriber.queue, patterns: $0.patterns, isOrdered: $0.isOrdered, prefetch: $0.prefetch)
        }
        transport.start(topology, self)
        await transport.waitUntilOpen()
    }

    /// Takes no new request, lets what runs finish (five seconds at most) and closes.
    public func stop() async {
        transport.retire()
        let subscribers = registrations.withLock { $0.subscribers.map(\.subscriber) }
        for subscriber in subscribers { subscriber.stop() }
        let limit = MonotonicClock.now() + Self.drainLimit
        while performer.running + subscribers.reduce(0, { $0 + $1.running }) > 0, MonotonicClock.now() < limit {
            try? await Task.sleep(nanoseconds: 10_000_000)
        }
        lost("the bus is stopped")
        transport.stop()
    }

    public var isReady: Bool { transport.obstacle == nil }

    /// For /healthz.
    public var condition: String { transport.obstacle ?? "connected" }

    /// Another process has the queue of this instance's name: it was started when this one had lost it. In the broker's words (AMQP 0-9-1 §1.2, 405).
    public var isNameTaken: Bool { transport.obstacle?.contains("RESOURCE_LOCKED") == true }

    static func queue(of service: ServiceName, _ instance: String) -> String { "\(service.rawValue).\(instance)" }

    // MARK: Calling

    /// Asks for a command to be performed. The completion is called once, on a thread of the bus: it must not block.
    public func call<C: Command>(
        _ command: C, to recipient: Recipient = .any, context: CallContext = CallContext(),
        completion: @escaping @Sendable (Result<C.Reply, RPCError>) -> Void
    ) {
        let correlation = nextCorrelation.wrappingAdd(1, ordering: .relaxed).newValue
        call(command, correlation, to: recipient, context, completion)
    }

    /// Asks for a command to be performed; cancelling the task ends the wait, not the work.
    public func call<C: Command>(
        _ command: C, to recipient: Recipient = .any, context: CallContext = CallContext()
    ) async throws(RPCError) -> C.Reply {
        let correlation = nextCorrelation.wrappingAdd(1, ordering: .relaxed).newValue
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled else {
                    return continuation.resume(returning: Result<C.Reply, RPCError>.failure(Self.cancelled))
                }
                call(command, correlation, to: recipient, context) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            complete(correlation, .failure(Self.cancelled))
        }
        return try result.get()
    }

    /// Asks without wanting to know what it came to.
    public func tell<C: Command>(_ command: C, to recipient: Recipient = .any, context: CallContext = CallContext()) {
        guard let body = JSON.encode(command) else { return logger.error("a \(C.name) cannot be written as JSON") }
        _ = transport.send(request(C.self, body, to: recipient, context, correlation: nil, replyTo: nil))
    }

    /// Whether an instance was not asked because its queue is gone: it vanishes with the process's connection.
    public static func isUnserved(_ error: RPCError) -> Bool { error.code == .unavailable && error.problems.first?.code == unservedCode }

    fileprivate static let unservedCode = "unserved"

    private static let cancelled = RPCError(.timeout, "the caller no longer waits")

    private func call<C: Command>(
        _ command: C, _ correlation: UInt64, to recipient: Recipient, _ context: CallContext,
        _ completion: @escaping @Sendable (Result<C.Reply, RPCError>) -> Void
    ) {
        if let obstacle = transport.obstacle { return completion(.failure(RPCError(.unavailable, obstacle))) }
        guard let replyQueue = transport.replyQueue else { return completion(.failure(RPCError(.unavailable, "RabbitMQ is away"))) }
        guard let body = JSON.encode(command) else {
            return completion(.failure(RPCError(.invalid, "a \(C.name) that cannot be written as JSON")))
        }
        let began = MonotonicClock.now()
        let deadline = began + context.deadline
        let times = RequestTimes.histogram(of: C.service)
        let isEntered = ledger.withLock { ledger in
            ledger.insert(correlation, until: deadline) { result in
                times?.observe(since: began)
                completion(result.flatMap { data in Result { () throws(RPCError) in try JSON.decode(C.Reply.self, data) } })
            }
        }
        guard isEntered else {
            return completion(.failure(RPCError(.unavailable, "too many requests wait for an answer")))
        }
        let message = request(C.self, body, to: recipient, context, correlation: correlation, replyTo: replyQueue)
        if transport.send(message) {
            transport.wake(at: deadline)
        } else {
            complete(correlation, .failure(RPCError(.unavailable, "too many messages wait for RabbitMQ")))
        }
    }

    private func request<C: Command>(
        _ type: C.Type, _ body: [UInt8], to recipient: Recipient, _ context: CallContext, correlation: UInt64?, replyTo: String?
    ) -> Message {
        let queue =
            switch recipient {
            case .any: C.service.rawValue
            case .instance(let instance): Self.queue(of: C.service, instance)
            }
        let properties = Properties(
            type: C.name, messageID: MessageID.next(), sender: name, correlation: correlation, replyTo: replyTo,
            customer: context.customer, traceparent: context.traceparent, idempotencyKey: context.idempotencyKey,
            budget: context.deadline)
        return Message(
            exchange: Exchange.commands, routingKey: queue, isMandatory: true, properties: properties, body: body)
    }

    private func complete(_ correlation: UInt64, _ result: Result<[UInt8], RPCError>) {
        ledger.withLock { $0.take(correlation) }?(result)
    }
}

extension Bus: Receiver {
    func arrived(_ arrival: Arrival) {
        switch arrival.source {
        case .replies: answered(arrival)
        case .shared: performer.perform(arrival, queue: service.rawValue, over: transport)
        case .instance: performer.perform(arrival, queue: name, over: transport)
        case .transient: heard(arrival)
        case .subscription(let index):
            registrations.withLock { $0.subscribers[index].subscriber }.receive(arrival, over: transport)
        }
    }

    func undelivered(_ correlation: UInt64, _ reason: String) {
        complete(correlation, .failure(RPCError(.unavailable, reason)))
    }

    func unserved(_ correlation: UInt64, _ reason: String) {
        let problem = Problem(pointer: "", code: Self.unservedCode, detail: reason)
        complete(correlation, .failure(RPCError(.unavailable, reason, problems: [problem])))
    }

    func lost(_ reason: String) {
        for completion in ledger.withLock({ $0.takeAll() }) { completion(.failure(RPCError(.unavailable, reason))) }
    }

    func tick(now: Instant) -> Instant? {
        let (expired, next) = ledger.withLock { ledger in (ledger.expire(now: now), ledger.nextDeadline()) }
        for completion in expired { completion(.failure(RPCError(.timeout, "no answer in time"))) }
        return next
    }

    private func answered(_ arrival: Arrival) {
        guard let correlation = arrival.properties.correlation else { return }
        guard arrival.properties.type == Properties.Kind.error else { return complete(correlation, .success(arrival.body)) }
        let error: RPCError
        do { error = try JSON.decode(RPCError.self, arrival.body) } catch {
            return complete(correlation, .failure(RPCError(.failed, "an error that cannot be read")))
        }
        complete(correlation, .failure(error))
    }
}
