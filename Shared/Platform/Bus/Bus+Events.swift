public import Contracts
internal import FoundationEssentials

extension Bus {
    /// Reads events from a durable queue that all subscribers with this name share: at least once, in order per resource,
    /// acknowledged after the body. An event whose body throws twice goes to the dead letters; a `TransientError` is
    /// tried again until it passes. `ordered`: one instance reads at a time, the next takes over when it dies.
    public func subscribe(
        durable queue: String, to patterns: [String], ordered: Bool = true, prefetch: UInt16 = 64,
        _ body: @escaping @Sendable (Event) async throws -> Void
    ) {
        let subscriber = Subscriber(queue: queue, logger: logger, body)
        registrations.withLock { registrations in
            precondition(!registrations.isStarted, "subscriptions are registered before the bus starts")
            registrations.subscribers.append((subscriber, patterns, ordered, prefetch))
        }
    }

    /// Hears events while this process is connected, none from before and perhaps not all. The body is called on the bus's
    /// reader thread: it must not block.
    public func listen(to patterns: [String], _ body: @escaping @Sendable (Event) -> Void) {
        registrations.withLock { registrations in
            precondition(!registrations.isStarted, "listeners are registered before the bus starts")
            registrations.listeners.append((patterns, patterns.map { TopicPattern($0) }, body))
        }
    }

    /// Publishes events and returns when the broker has them on disk; waits through a loss of the broker. Throws
    /// `unavailable` when too many wait already.
    public func publish(_ events: [Event]) async throws(RPCError) {
        let result = await withCheckedContinuation { continuation in
            publish(events) { continuation.resume(returning: $0) }
        }
        try result.get()
    }

    /// The same with a completion, called once, on a thread of the bus.
    public func publish(_ events: [Event], completion: @escaping @Sendable (Result<Void, RPCError>) -> Void) {
        let messages = events.compactMap { message($0, isPersistent: true) }
        guard messages.count == events.count else {
            return completion(.failure(RPCError(.invalid, "an event that cannot be written as JSON")))
        }
        transport.sendConfirmed(messages, completion)
    }

    /// Tells an event to whoever listens now: neither stored nor confirmed, lost while the broker is away.
    public func signal(_ event: Event) {
        guard let message = message(event, isPersistent: false) else {
            return logger.error("a \(event.type) cannot be written as JSON")
        }
        _ = transport.send(message)
    }

    private func message(_ event: Event, isPersistent: Bool) -> Message? {
        guard let body = JSON.encode(event) else { return nil }
        let properties = Properties(
            type: event.type, messageID: event.id, sender: name, customer: event.customerID, isPersistent: isPersistent)
        return Message(exchange: Exchange.events, routingKey: event.type, properties: properties, body: body)
    }

    func heard(_ arrival: Arrival) {
        let bodies = registrations.withLock { registrations in
            registrations.listeners.filter { $0.matchers.contains { $0.matches(arrival.routingKey) } }.map(\.body)
        }
        guard !bodies.isEmpty else { return }
        do {
            let event = try JSON.decode(Event.self, arrival.body)
            for body in bodies { body(event) }
        } catch { logger.debug("a transient event cannot be read: \(error.detail)") }
    }
}
