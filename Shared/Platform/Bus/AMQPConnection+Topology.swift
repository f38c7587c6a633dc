internal import CRabbitMQ
internal import Contracts

extension AMQPConnection {
    /// Channels of the consuming connection: unacknowledged queues share one, every acknowledged queue has its own prefetch.
    private enum Channel {
        static let unacknowledged: UInt16 = 1
        static let shared: UInt16 = 2
        static let firstSubscription: UInt16 = 3
    }

    /// Declares every exchange and queue of the process and starts consuming; the name of the reply queue.
    ///
    /// Consumer tags are the position in `sources`.
    func declare(_ topology: Topology) throws(AMQPFailure) -> (replyQueue: String, sources: [Source]) {
        var sources: [Source] = []
        func consumer(_ source: Source) -> String {
            sources.append(source)
            return String(sources.count - 1)
        }
        let channel = Channel.unacknowledged
        try openChannel(channel)
        try declareExchange(Exchange.commands, type: "direct")
        try declareExchange(Exchange.events, type: "topic")
        try declareExchange(Exchange.dead, type: "fanout")
        try declareQueue(Exchange.dead, isDurable: true, on: channel, [("x-max-length", .number(10_000))])
        try bind(Exchange.dead, to: Exchange.dead, "", on: channel)

        // Named by the broker: after a lost connection the old queue may linger, and a fixed name would be locked by it.
        let replyQueue = try declareQueue("", isExclusive: true, on: channel)
        try consume(replyQueue, tag: consumer(.replies), isAcknowledged: false, on: channel)
        if topology.servesInstance {
            try declareQueue(topology.instance, isExclusive: true, on: channel, [("x-max-length", .number(10_000))])
            try bind(topology.instance, to: Exchange.commands, topology.instance, on: channel)
            try consume(topology.instance, tag: consumer(.instance), isAcknowledged: false, on: channel)
        }
        if !topology.transientPatterns.isEmpty {
            let queue = try declareQueue("", isExclusive: true, on: channel, [("x-max-length", .number(10_000))])
            for pattern in topology.transientPatterns { try bind(queue, to: Exchange.events, pattern, on: channel) }
            try consume(queue, tag: consumer(.transient), isAcknowledged: false, on: channel)
        }
        if topology.servesShared {
            let channel = Channel.shared
            try openChannel(channel)
            try declareQueue(topology.shared, isDurable: true, on: channel, [("x-max-length", .number(50_000))])
            try bind(topology.shared, to: Exchange.commands, topology.shared, on: channel)
            try limit(topology.prefetch, on: channel)
            try consume(topology.shared, tag: consumer(.shared), isAcknowledged: true, on: channel)
        }
        for (index, subscription) in topology.subscriptions.enumerated() {
            let channel = Channel.firstSubscription + UInt16(index)
            try openChannel(channel)
            try declareQueue(
                subscription.queue, isDurable: true, on: channel,
                [
                    ("x-queue-type", .text("quorum")), ("x-dead-letter-exchange", .text(Exchange.dead)),
                    // Counts returns, so one return leaves two deliveries (RELIABILITY V8).
                    ("x-delivery-limit", .number(1)), ("x-single-active-consumer", .flag(subscription.isOrdered)),
                ])
            for pattern in subscription.patterns { try bind(subscription.queue, to: Exchange.events, pattern, on: channel) }
            try limit(subscription.prefetch, on: channel)
            try consume(subscription.queue, tag: consumer(.subscription(index)), isAcknowledged: true, on: channel)
        }
        return (replyQueue, sources)
    }

    /// Stops consuming what new work comes from.
    func retire(_ sources: [Source]) throws(AMQPFailure) {
        for (tag, source) in sources.enumerated() {
            let channel: UInt16
            switch source {
            case .shared: channel = Channel.shared
            case .subscription(let index): channel = Channel.firstSubscription + UInt16(index)
            case .replies, .instance, .transient: continue
            }
            _ = unsafe amqp_basic_cancel(state, channel, arena.bytes(String(tag)))
            try checkLast()
        }
    }

    private func declareExchange(_ name: String, type: String) throws(AMQPFailure) {
        _ = unsafe amqp_exchange_declare(
            state, Channel.unacknowledged, arena.bytes(name), arena.bytes(type), 0, 1, 0, 0, amqp_empty_table)
        try checkLast()
    }

    @discardableResult
    private func declareQueue(
        _ name: String, isDurable: Bool = false, isExclusive: Bool = false, on channel: UInt16,
        _ arguments: [(String, AMQPArena.Field)] = []
    ) throws(AMQPFailure) -> String {
        let declared = unsafe amqp_queue_declare(
            state, channel, arena.bytes(name), 0, isDurable ? 1 : 0, isExclusive ? 1 : 0, isExclusive ? 1 : 0,
            arena.table(arguments))
        let declaredName = unsafe declared.map { unsafe $0.pointee.queue.text }
        try checkLast()
        guard let declaredName else { throw AMQPFailure("the queue \(name) was not declared") }
        return declaredName
    }

    private func bind(_ queue: String, to exchange: String, _ key: String, on channel: UInt16) throws(AMQPFailure) {
        _ = unsafe amqp_queue_bind(
            state, channel, arena.bytes(queue), arena.bytes(exchange), arena.bytes(key), amqp_empty_table)
        try checkLast()
    }

    private func limit(_ prefetch: UInt16, on channel: UInt16) throws(AMQPFailure) {
        _ = unsafe amqp_basic_qos(state, channel, 0, prefetch, 0)
        try checkLast()
    }

    private func consume(_ queue: String, tag: String, isAcknowledged: Bool, on channel: UInt16) throws(AMQPFailure) {
        _ = unsafe amqp_basic_consume(
            state, channel, arena.bytes(queue), arena.bytes(tag), 0, isAcknowledged ? 0 : 1, 0, amqp_empty_table)
        try checkLast()
    }
}
