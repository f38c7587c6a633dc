internal import Contracts
internal import Deadlines

/// What carries the messages of a bus: RabbitMQ, or memory in tests.
protocol Transport: Sendable {
    func start(_ topology: Topology, _ receiver: any Receiver)
    /// Returns when both ways are open, or on `stop`.
    func waitUntilOpen() async
    /// No new request or event is taken; answers still come in.
    func retire()
    /// Sends what is queued, as far as that is quick, and closes.
    func stop()

    /// Why nothing can be sent now; nil when it can.
    var obstacle: String? { get }
    /// Where answers for this process go; nil while it cannot be reached.
    var replyQueue: String? { get }

    /// False when the queue of outgoing messages is full. What is lost later is told to `undelivered`.
    func send(_ message: Message) -> Bool
    /// Sent in order, and again after a loss of the broker, until every one is confirmed.
    func sendConfirmed(_ messages: [Message], _ completion: @escaping @Sendable (Result<Void, RPCError>) -> Void)
    func settle(_ receipt: Receipt, _ verdict: Verdict)
    /// All done, and with them whatever came over the same channel before: the reader of a subscription settles in order.
    func settle(_ receipts: [Receipt])
    /// Asks for a `tick` at this instant or soon after.
    func wake(at instant: Instant)
}

extension Transport {
    func sendConfirmed(_ messages: [Message]) async -> Result<Void, RPCError> {
        await withCheckedContinuation { continuation in sendConfirmed(messages) { continuation.resume(returning: $0) } }
    }
}

/// What a transport tells; called on its threads, never on two for `arrived`.
protocol Receiver: AnyObject, Sendable {
    func arrived(_ arrival: Arrival)
    /// The request with this correlation id reached no queue.
    func undelivered(_ correlation: UInt64, _ reason: String)
    /// The broker has it back: there is no queue for it.
    func unserved(_ correlation: UInt64, _ reason: String)
    /// The broker is away or refuses messages: no answer will come to what was sent.
    func lost(_ reason: String)
    /// The next instant at which a tick is wanted.
    func tick(now: Instant) -> Instant?
}
