public import Contracts

extension Bus {
    /// Reads events from a durable queue that all subscribers with this name share: at least once, in the order they come in, as many at a
    /// time as have arrived (a few hundred at most), acknowledged after the body. When it throws, each is read by itself; one whose body goes on
    /// throwing goes to the dead letters; a `TransientError` is tried again until it passes. `ordered`: one instance reads at a time, the next
    /// takes over when it dies. `prefetch`: so many messages are on their way here at once; one is up to 64 KiB of events.
    public func subscribe(
        durable queue: String, to patterns: [String], ordered: Bool = true, prefetch: UInt16 = 8,
        written body: @escaping @Sendable ([WrittenEvent]) async throws -> Void
    ) {
        let subscriber = Subscriber(queue: queue, matchers: patterns.map { TopicPattern($0) }, logger: logger, body)
        registrations.withLock { registrations in
            precondition(!registrations.isStarted, "subscriptions are registered before the bus starts")
            registrations.subscribers.append((subscriber, patterns, ordered, prefetch))
        }
    }

    /// The same for who looks into them.
    public func subscribe(
        durable queue: String, to patterns: [String], ordered: Bool = true, prefetch: UInt16 = 8,
        _ body: @escaping @Sendable ([Event]) async throws -> Void
    ) {
        subscribe(durable: queue, to: patterns, ordered: ordered, prefetch: prefetch, written: { try await body($0.map { try $0.event() }) })
    }

    /// Hears events while this process is connected, none from before and perhaps not all. The body is called on the bus's
    /// reader thread: it must not block.
    public func listen(to patterns: [String], _ body: @escaping @Sendable (Event) -> Void) {
        registrations.withLock { registrations in
            precondition(!registrations.isStarted, "listeners are registered before the bus starts")
            registrations.listeners.append((patterns, patterns.map { TopicPattern($0) }, body))
        }
    }

    /// Publishes events, many as one message, and returns when the broker has them on disk; waits through a loss of the broker. Throws
    /// `unavailable` when too many wait already.
    public func publish(_ events: [WrittenEvent]) async throws(RPCError) {
        try await transport.sendConfirmed(EventBatch.messages(of: events, sender: name, most: eventsTogether)).get()
    }

    public func publish(_ events: [Event]) async throws(RPCError) {
        let written: [WrittenEvent]
        do { written = try events.map { try WrittenEvent($0) } } catch { throw RPCError(.invalid, "an event that cannot be written as JSON") }
        try await publish(written)
    }

    /// Tells an event to whoever listens now: neither stored nor confirmed, lost while the broker is away.
    public func signal(_ event: Event) {
        guard let event = try? WrittenEvent(event) else { return logger.error("a \(event.type) cannot be written as JSON") }
        _ = transport.send(Message(event, sender: name, isPersistent: false))
    }

    func heard(_ arrival: Arrival) {
        let listeners = registrations.withLock { $0.listeners }
        for text in arrival.texts {
            do {
                let type = arrival.properties.isBatch ? try WrittenEvent(text: text).type : arrival.routingKey
                let bodies = listeners.filter { $0.matchers.match(type) }.map(\.body)
                guard !bodies.isEmpty else { continue }
                let event = try JSON.decode(Event.self, text)
                for body in bodies { body(event) }
            } catch { logger.debug("a transient event cannot be read: \(error)") }
        }
    }
}
