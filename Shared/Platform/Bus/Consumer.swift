internal import Deadlines
internal import Logging
internal import Synchronization
internal import Threads

/// The consuming connection and its thread: answers, requests and events come in here, acknowledgements go out.
final class Consumer: @unchecked Sendable {
    // Sendable: `line` and below are touched on `thread` only; the rest is made for many threads.

    private static let turn = 256
    /// How often the deadlines are looked at, whatever comes in: a request that has no answer learns of it so much late at most, and none
    /// wakes the thread for its own deadline, which is nearly always met.
    private static let attention = Interval.milliseconds(100)
    /// A thread that was away so long, though it looks up ten times a second, was stopped (or its machine was): what has arrived meanwhile
    /// is old, however fresh it looks here, and others have been asked instead.
    private static let standstill = Interval.seconds(4)

    let availability = Availability()
    private let thread: ConnectionThread
    private let replies = Mutex<String?>(nil)
    /// The instant of the next look at the deadlines, in nanoseconds.
    private let armed = Atomic<UInt64>(.max)

    private let settings: Bus.Settings
    /// Of the other connection, which says for both that the broker is away.
    private let publisher: Availability
    private let topology: Topology
    private let logger: Logger
    private weak let receiver: (any Receiver)?
    private var line: AMQPConnection?
    private var generation: UInt64 = 0
    private var sources: [Source] = []
    private var retryAt = Instant(nanoseconds: 0)
    private var backoff = Backoff()
    private var isRetired = false
    private var hasMore = false
    private var attendedAt = Instant.distantFuture

    init(
        _ settings: Bus.Settings, _ topology: Topology, _ receiver: any Receiver, publisher: Availability, logger: Logger
    ) {
        (self.settings, self.topology, self.receiver) = (settings, topology, receiver)
        (self.publisher, self.logger) = (publisher, logger)
        // Acknowledgements and wake-ups only: both are bounded by what is being performed.
        thread = ConnectionThread(name: "bus-consume", capacity: 65_536)
    }

    func start() { thread.start { self.attend($0) } }

    func stop() {
        availability.close()
        replies.withLock { $0 = nil }
        _ = thread.submit {
            self.line?.close()
            self.line = nil
            self.retryAt = .distantFuture
        }
        thread.stop()
    }

    var replyQueue: String? { replies.withLock { $0 } }

    func settle(_ receipt: Receipt, _ verdict: Verdict, isMultiple: Bool = false) {
        _ = thread.submit {
            // After a loss the broker delivers the message again anyway, under another tag.
            guard let line = self.line, receipt.connection == self.generation else { return }
            do throws(AMQPFailure) { try line.settle(channel: receipt.channel, tag: receipt.tag, verdict, isMultiple: isMultiple) } catch { self.fail(error) }
        }
    }

    func wake(at instant: Instant) {
        guard instant.nanoseconds < armed.load(ordering: .relaxed) else { return }
        // The thread looks at the deadlines after any work.
        _ = thread.submit {}
    }

    func retire() {
        _ = thread.submit {
            self.isRetired = true
            guard let line = self.line else { return }
            do throws(AMQPFailure) { try line.retire(self.sources) } catch { self.fail(error) }
        }
    }

    // MARK: Thread

    private func attend(_ occasion: ConnectionThread.Occasion) -> ConnectionThread.Pause {
        let now = MonotonicClock.now()
        if line != nil, now > attendedAt, now - attendedAt > Self.standstill {
            fail(AMQPFailure("this process stood still for \((now - attendedAt).milliseconds) ms; what was sent to it is too old"))
            retryAt = now
        }
        defer { attendedAt = MonotonicClock.now() }
        if line == nil, now >= retryAt { connect() }
        // After mere work nothing has been read into librabbitmq's own buffer; poll tells of the rest.
        if occasion != .worked || hasMore { hasMore = read() }
        // While the deadlines are looked at, a new one must wake the thread whatever it is.
        armed.store(.max, ordering: .relaxed)
        let due = receiver?.tick(now: now) ?? .distantFuture
        guard let line else { return pause(nil, until: min(due, retryAt), now) }
        return pause(line.descriptor, until: hasMore ? now : due, now)
    }

    private func pause(_ descriptor: Int32?, until instant: Instant, _ now: Instant) -> ConnectionThread.Pause {
        let next = min(instant, now + Self.attention)
        armed.store(next.nanoseconds, ordering: .relaxed)
        return .init(descriptor: descriptor, limit: max(.zero, next - now))
    }

    private func connect() {
        do {
            let line = try AMQPConnection(settings)
            var topology = topology
            if isRetired { (topology.servesShared, topology.subscriptions) = (false, []) }
            let (replyQueue, sources) = try line.declare(topology)
            (self.line, self.sources) = (line, sources)
            generation += 1
            backoff.reset()
            replies.withLock { $0 = replyQueue }
            availability.came()
        } catch { fail(error) }
    }

    private func fail(_ failure: AMQPFailure) {
        line = nil
        replies.withLock { $0 = nil }
        let now = MonotonicClock.now()
        retryAt = now + backoff.next(random: .random(in: 0 ... .max))
        if availability.left(failure.description, now: now), publisher.isHere {
            logger.warning("waiting for RabbitMQ at \(settings.address): \(failure)")
        }
        receiver?.lost("RabbitMQ is away: \(failure)")
    }

    /// Hands over what has arrived, at most a turn's worth; whether there may be more.
    private func read() -> Bool {
        guard let line else { return false }
        do {
            for _ in 0..<Self.turn {
                guard let message = try line.receive() else { return false }
                guard let position = Int(message.consumerTag), sources.indices.contains(position) else { continue }
                let source = sources[position]
                let isSettled =
                    switch source {
                    case .replies, .instance, .transient: true
                    case .shared, .subscription: false
                    }
                receiver?.arrived(
                    Arrival(
                        source: source, routingKey: message.routingKey, properties: message.properties, body: message.body,
                        isRedelivered: message.isRedelivered,
                        receipt: isSettled
                            ? nil : Receipt(connection: generation, channel: message.channel, tag: message.tag),
                        at: MonotonicClock.now()))
            }
            return true
        } catch {
            fail(error)
            return false
        }
    }
}
