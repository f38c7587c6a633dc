internal import Contracts
internal import Deadlines
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Threads

/// The publishing connection and its thread. A short message is written by who sends it, when nothing waits and the broker takes it at
/// once; else what is queued is written per wake-up. Confirmed messages are kept until the broker has them, across any number of connections.
final class Publisher: @unchecked Sendable {
    // Sendable: `line` and below are touched by who has the turn of `thread`; the rest is made for many threads.

    private final class Batch {
        var remaining: Int
        let completion: @Sendable (Result<Void, RPCError>) -> Void

        init(_ remaining: Int, _ completion: @escaping @Sendable (Result<Void, RPCError>) -> Void) {
            (self.remaining, self.completion) = (remaining, completion)
        }
    }

    private struct Confirmed {
        let message: Message
        let batch: Batch
    }

    private enum Channel {
        static let plain: UInt16 = 1
        static let confirmed: UInt16 = 2
    }

    private static let queueLimit = 8_192
    private static let confirmLimit = 10_000
    private static let window = 500
    /// A socket that says it can be written to has room for more than this.
    private static let directLimit = 16_384
    private static let attention = Interval.seconds(1)
    private static let lost = Counter("tandem_bus_messages_lost_total", "Messages that could not be handed to the broker.")

    let availability = Availability()
    private let thread: ConnectionThread
    private let unconfirmed = Atomic<Int>(0)
    private let alarm = Mutex<String?>(nil)

    private let settings: Bus.Settings
    private let logger: Logger
    private weak let receiver: (any Receiver)?
    private var line: AMQPConnection?
    /// Writing failed elsewhere than on the thread, which is told.
    private var isBroken = false
    private var retryAt = Instant(nanoseconds: 0)
    private var backoff = Backoff()
    private var readAt = Instant(nanoseconds: 0)
    private var window = ConfirmWindow<Confirmed>(limit: Publisher.window)
    private var pending: [Confirmed] = []

    init(_ settings: Bus.Settings, _ receiver: any Receiver, logger: Logger) {
        (self.settings, self.receiver, self.logger) = (settings, receiver, logger)
        thread = ConnectionThread(name: "bus-publish", capacity: Self.queueLimit)
    }

    func start() { thread.start { self.attend($0) } }

    /// What is queued goes out first; events that are not confirmed by then have failed.
    func stop() {
        availability.close()
        _ = thread.submit {
            self.line?.close()
            self.line = nil
            self.retryAt = .distantFuture
            let unsettled = self.window.restart() + self.pending
            self.pending = []
            for confirmed in unsettled { self.settle(confirmed, .failure(RPCError(.unavailable, "the bus is stopped"))) }
        }
        thread.stop()
    }

    /// Why the broker takes nothing although it is connected.
    var blocked: String? { alarm.withLock { $0 } }

    func send(_ message: Message) -> Bool {
        if message.body.count <= Self.directLimit, thread.runHere({ publishHere(message) }) { return true }
        return thread.submit { self.publish(message) }
    }

    func sendConfirmed(_ messages: [Message], _ completion: @escaping @Sendable (Result<Void, RPCError>) -> Void) {
        guard !messages.isEmpty else { return completion(.success(())) }
        let (before, _) = unconfirmed.wrappingAdd(messages.count, ordering: .relaxed)
        let isQueued = before + messages.count <= Self.confirmLimit && thread.submit {
            let batch = Batch(messages.count, completion)
            self.pending += messages.map { Confirmed(message: $0, batch: batch) }
            self.pump()
        }
        guard !isQueued else { return }
        unconfirmed.wrappingSubtract(messages.count, ordering: .relaxed)
        completion(.failure(RPCError(.unavailable, "too many events wait for RabbitMQ")))
    }

    // MARK: Thread

    private func attend(_ occasion: ConnectionThread.Occasion) -> ConnectionThread.Pause {
        let now = MonotonicClock.now()
        if line == nil {
            if now >= retryAt { connect() }
            if line == nil { return pauseUntilRetry(now) }
        }
        // After mere work there is usually nothing to read, and looking costs a system call.
        if occasion != .worked || now - readAt >= Self.attention { read(now) }
        guard let line else { return pauseUntilRetry(now) }
        return .init(descriptor: line.descriptor, limit: Self.attention)
    }

    private func pauseUntilRetry(_ now: Instant) -> ConnectionThread.Pause {
        .init(limit: min(max(.milliseconds(1), retryAt - now), Self.attention))
    }

    private func connect() {
        do {
            let line = try AMQPConnection(settings)
            try line.openChannel(Channel.plain)
            try line.openChannel(Channel.confirmed)
            try line.selectConfirms(Channel.confirmed)
            self.line = line
            backoff.reset()
            availability.came()
            pump()
        } catch { fail(error) }
    }

    private func fail(_ failure: AMQPFailure) {
        (line, isBroken) = (nil, false)
        pending.insert(contentsOf: window.restart(), at: 0)
        alarm.withLock { $0 = nil }
        let now = MonotonicClock.now()
        retryAt = now + backoff.next(random: .random(in: 0 ... .max))
        if availability.left(failure.description, now: now) {
            logger.warning("waiting for RabbitMQ at \(settings.address): \(failure)")
        }
        receiver?.lost("RabbitMQ is away: \(failure)")
    }

    private func read(_ now: Instant) {
        readAt = now
        guard let line else { return }
        do {
            while let notice = try line.notice() { heed(notice) }
            pump()
        } catch { fail(error) }
    }

    private func heed(_ notice: AMQPConnection.PublisherNotice) {
        switch notice {
        case .confirmed(let tag, let multiple):
            for confirmed in window.settle(tag, multiple: multiple) { settle(confirmed, .success(())) }
        case .refused(let tag, let multiple):
            // A queue failed inside the broker: what it refused is offered again.
            pending.insert(contentsOf: window.settle(tag, multiple: multiple), at: 0)
        case .returned(let properties):
            guard let correlation = properties.correlation else { return Self.lost.add() }
            receiver?.unserved(correlation, "nobody serves \(properties.type)")
        case .blocked(let reason):
            logger.warning("RabbitMQ takes no messages: \(reason)")
            alarm.withLock { $0 = reason }
            receiver?.lost("RabbitMQ takes no messages: \(reason)")
        case .unblocked:
            logger.notice("RabbitMQ takes messages again")
            alarm.withLock { $0 = nil }
        }
    }

    private func settle(_ confirmed: Confirmed, _ result: Result<Void, RPCError>) {
        unconfirmed.wrappingSubtract(1, ordering: .relaxed)
        confirmed.batch.remaining -= 1
        if confirmed.batch.remaining == 0 { confirmed.batch.completion(result) }
    }

    /// On the thread of who sends: only what certainly does not wait.
    private func publishHere(_ message: Message) -> Bool {
        guard let line, !isBroken, blocked == nil, line.takesMore() else { return false }
        do {
            try line.publish(message, on: Channel.plain)
        } catch {
            // Whoever waits for an answer is told as for all that was sent before.
            isBroken = true
            _ = thread.submit { self.fail(error) }
        }
        return true
    }

    private func publish(_ message: Message) {
        guard let line, !isBroken, blocked == nil else {
            Self.lost.add()
            if let correlation = message.properties.correlation, message.properties.replyTo != nil {
                receiver?.undelivered(correlation, blocked ?? "RabbitMQ is away")
            }
            return
        }
        do { try line.publish(message, on: Channel.plain) } catch { fail(error) }
    }

    /// Publishes waiting confirmed messages as far as the window allows.
    private func pump() {
        guard let line, blocked == nil, !pending.isEmpty else { return }
        var sent = 0
        do {
            while sent < pending.count, !window.isFull {
                // Into the window first: if writing fails, it comes back from there in its place.
                window.published(pending[sent])
                sent += 1
                try line.publish(pending[sent - 1].message, on: Channel.confirmed)
            }
            pending.removeFirst(sent)
        } catch {
            pending.removeFirst(sent)
            fail(error)
        }
    }
}
