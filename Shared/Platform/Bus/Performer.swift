internal import Contracts
internal import Deadlines
internal import FoundationEssentials
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Threads

/// Performs the commands that come in: finds who serves them, keeps to the deadlines and limits, answers, acknowledges.
final class Performer: Sendable {
    struct Served: Sendable {
        let scope: ServeScope
        let perform: @Sendable ([UInt8], Delivery, Answering) -> Void
    }

    /// Whom an answer goes to.
    private struct Caller: Sendable {
        let correlation: UInt64?
        let replyTo: String?
        let receipt: Receipt?
    }

    private struct State: Sendable {
        var served: [String: Served] = [:]
        var running = 0
        var cache = ReplyCache<Answer, Caller>(limit: 4_096, lifetime: .seconds(60))
    }

    /// Requests of the instance queue are bounded here, those of the shared queue by its prefetch.
    private static let limit = 1_024
    private static let attempts = 2
    private static let expired = Counter("tandem_bus_expired_requests_total", "Requests dropped unread: nobody waits for them.")
    private static let quarantined = Counter(
        "tandem_bus_quarantined_requests_total", "Requests put aside after two processes died performing them.")

    private let sender: String
    private let logger: Logger
    private let state = Mutex(State())

    init(sender: String, logger: Logger) { (self.sender, self.logger) = (sender, logger) }

    func register(_ name: String, _ served: Served) {
        let isNew = state.withLock { $0.served.updateValue(served, forKey: name) == nil }
        precondition(isNew, "the command \(name) is served once")
    }

    var running: Int { state.withLock { $0.running } }

    /// Whether any command is served from the queue all instances share, and from this one's own.
    var scopes: (shared: Bool, instance: Bool) {
        let scopes = state.withLock { $0.served.values.map(\.scope) }
        return (scopes.contains { $0 != .thisInstance }, scopes.contains { $0 != .anyInstance })
    }

    func perform(_ arrival: Arrival, queue: String, over transport: any Transport) {
        let now = MonotonicClock.now()
        let properties = arrival.properties
        let deadline = properties.budget.map { arrival.at + $0 } ?? .distantFuture
        let caller = Caller(correlation: properties.correlation, replyTo: properties.replyTo, receipt: arrival.receipt)
        guard now < deadline else {
            Self.expired.add()
            if let receipt = arrival.receipt { transport.settle(receipt, .done) }
            return
        }
        if arrival.isRedelivered { return performAgain(arrival, caller, queue: queue, over: transport) }

        enum Admission {
            case perform(Served)
            case answer(Answer)
            case waits
        }
        // Only what one instance alone performs can be remembered by that instance.
        let key = arrival.source == .instance ? properties.idempotencyKey : nil
        let admission = state.withLock { state -> Admission in
            guard let served = state.served[properties.type], served.scope != .thisInstance || arrival.source == .instance
            else { return .answer(.refusal(RPCError(.invalid, "the command \(properties.type) is not served here"))) }
            if let key {
                switch state.cache.admit(key, waiter: caller, now: now) {
                case .answered(let answer): return .answer(answer)
                case .waits: return .waits
                case .perform: break
                }
            }
            guard state.running < Self.limit || arrival.source == .shared else {
                let refusal = Answer.refusal(RPCError(.exhausted, "too many requests are being performed"))
                if let key { _ = state.cache.finish(key, refusal, isFinal: false, now: now) }
                return .answer(refusal)
            }
            state.running += 1
            return .perform(served)
        }
        switch admission {
        case .waits: return
        case .answer(let answer): give(answer, to: caller, over: transport)
        case .perform(let served):
            let delivery = Delivery(
                messageID: properties.messageID, sender: properties.sender, customer: properties.customer,
                traceparent: properties.traceparent, idempotencyKey: properties.idempotencyKey, arrivedAt: arrival.at, deadline: deadline)
            served.perform(
                arrival.body, delivery,
                Answering { answer in self.finish(answer, key: key, caller, over: transport) })
        }
    }

    private func finish(_ answer: Answer, key: String?, _ caller: Caller, over transport: any Transport) {
        let isFinal = if case .refusal(let error) = answer { !error.isTransient } else { true }
        let waiters = state.withLock { state in
            state.running -= 1
            guard let key else { return [Caller]() }
            return state.cache.finish(key, answer, isFinal: isFinal, now: MonotonicClock.now())
        }
        for caller in [caller] + waiters { give(answer, to: caller, over: transport) }
    }

    /// The answer first, then the acknowledgement: dying in between, the request is performed again, not lost.
    private func give(_ answer: Answer, to caller: Caller, over transport: any Transport) {
        if let replyTo = caller.replyTo, let correlation = caller.correlation {
            let (kind, body): (String, [UInt8]) =
                switch answer {
                case .reply(let body): (Properties.Kind.reply, body)
                case .refusal(let error): (Properties.Kind.error, JSON.encode(error) ?? [])
                }
            let properties = Properties(type: kind, messageID: MessageID.next(), sender: sender, correlation: correlation)
            _ = transport.send(
                Message(exchange: Exchange.direct, routingKey: replyTo, properties: properties, body: body))
        }
        if let receipt = caller.receipt { transport.settle(receipt, .done) }
    }

    /// The process that had this request died. The broker tells only *that*, not how often; so the request is sent again
    /// with a count, and put aside when a second process has died of it (RELIABILITY V8).
    private func performAgain(_ arrival: Arrival, _ caller: Caller, queue: String, over transport: any Transport) {
        var properties = arrival.properties
        guard properties.attempt < Self.attempts else {
            Self.quarantined.add()
            logger.error("put aside a request that two processes died performing: \(properties.type) \(properties.messageID)")
            properties.budget = nil
            properties.replyTo = nil
            _ = transport.send(
                Message(exchange: Exchange.dead, routingKey: queue, properties: properties, body: arrival.body))
            return give(.refusal(RPCError(.failed, "the request was put aside")), to: caller, over: transport)
        }
        properties.attempt += 1
        _ = transport.send(
            Message(exchange: Exchange.direct, routingKey: queue, properties: properties, body: arrival.body))
        if let receipt = arrival.receipt { transport.settle(receipt, .done) }
    }
}
