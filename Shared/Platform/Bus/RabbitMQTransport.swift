internal import Contracts
internal import Deadlines
internal import Logging
internal import Synchronization

/// RabbitMQ as the carrier: two connections, so that a broker that blocks publishers cannot hold back answers.
final class RabbitMQTransport: Transport {
    private struct Lines: Sendable {
        let publisher: Publisher
        let consumer: Consumer
    }

    private let settings: Bus.Settings
    private let logger: Logger
    private let lines = Mutex<Lines?>(nil)

    init(_ settings: Bus.Settings, logger: Logger) { (self.settings, self.logger) = (settings, logger) }

    func start(_ topology: Topology, _ receiver: any Receiver) {
        let publisher = Publisher(settings, receiver, logger: logger)
        let consumer = Consumer(settings, topology, receiver, publisher: publisher.availability, logger: logger)
        let lines = Lines(publisher: publisher, consumer: consumer)
        self.lines.withLock {
            precondition($0 == nil, "a bus is started once")
            $0 = lines
        }
        lines.publisher.start()
        lines.consumer.start()
    }

    private var started: Lines? { lines.withLock { $0 } }

    func waitUntilOpen() async {
        guard let lines = started else { return }
        await lines.publisher.availability.wait()
        await lines.consumer.availability.wait()
    }

    func retire() { started?.consumer.retire() }

    func stop() {
        started?.publisher.stop()
        started?.consumer.stop()
    }

    var obstacle: String? {
        guard let lines = started else { return "not started" }
        return lines.publisher.availability.reason ?? lines.consumer.availability.reason ?? lines.publisher.blocked
    }

    var replyQueue: String? { started?.consumer.replyQueue }

    func send(_ message: Message) -> Bool { started?.publisher.send(message) ?? false }

    func sendConfirmed(_ messages: [Message], _ completion: @escaping @Sendable (Result<Void, RPCError>) -> Void) {
        guard let lines = started else { return completion(.failure(RPCError(.unavailable, "the bus is not started"))) }
        lines.publisher.sendConfirmed(messages, completion)
    }

    func settle(_ receipt: Receipt, _ verdict: Verdict) { started?.consumer.settle(receipt, verdict) }

    func settle(_ receipts: [Receipt]) {
        if let last = receipts.last { started?.consumer.settle(last, .done, isMultiple: true) }
    }

    func wake(at instant: Instant) { started?.consumer.wake(at: instant) }
}
