internal import CRabbitMQ
internal import Contracts
internal import FoundationEssentials
internal import Glibc

extension AMQPConnection {
    /// A message as it was delivered, still without the meaning of its consumer tag.
    struct DeliveredMessage {
        let consumerTag: String
        let channel: UInt16
        let tag: UInt64
        let isRedelivered: Bool
        let routingKey: String
        let properties: Properties
        let body: [UInt8]
    }

    /// What the broker tells a publisher.
    enum PublisherNotice {
        case confirmed(tag: UInt64, multiple: Bool)
        case refused(tag: UInt64, multiple: Bool)
        /// A mandatory message no queue took.
        case returned(Properties)
        /// The broker takes no more messages, and why (a memory or disk alarm).
        case blocked(String)
        case unblocked
    }

    /// The next delivered message that has arrived; nil when there is none yet. Also sends due heartbeats.
    func receive() throws(AMQPFailure) -> DeliveredMessage? {
        var envelope = unsafe amqp_envelope_t()
        var noWait = timeval()
        unsafe amqp_maybe_release_buffers(state)
        let reply = unsafe amqp_consume_message(state, &envelope, &noWait, 0)
        if unsafe reply.reply_type == AMQP_RESPONSE_NORMAL {
            defer { unsafe amqp_destroy_envelope(&envelope) }
            return unsafe DeliveredMessage(
                consumerTag: envelope.consumer_tag.text, channel: envelope.channel, tag: envelope.delivery_tag,
                isRedelivered: envelope.redelivered != 0, routingKey: envelope.routing_key.text,
                properties: Self.properties(envelope.message.properties), body: envelope.message.body.copied)
        }
        if unsafe reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION {
            if unsafe reply.library_error == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            if unsafe reply.library_error == AMQP_STATUS_UNEXPECTED_STATE.rawValue {
                // Another frame than a delivery comes first: read it. Nothing of it matters here but a closing.
                _ = try unsafe method()
                return try receive()
            }
        }
        try unsafe check(reply)
        return nil
    }

    /// The next notice that has arrived; nil when there is none yet. Also sends due heartbeats.
    func notice() throws(AMQPFailure) -> PublisherNotice? {
        while let method = try unsafe method() {
            guard let decoded = unsafe method.method.decoded else { continue }
            switch unsafe method.method.id {
            case AMQP_BASIC_ACK_METHOD:
                let ack = unsafe decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
                return .confirmed(tag: ack.delivery_tag, multiple: ack.multiple != 0)
            case AMQP_BASIC_NACK_METHOD:
                let nack = unsafe decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
                return .refused(tag: nack.delivery_tag, multiple: nack.multiple != 0)
            case AMQP_BASIC_RETURN_METHOD:
                return .returned(try returnedMessage(on: unsafe method.channel))
            case AMQP_CONNECTION_BLOCKED_METHOD:
                return .blocked(unsafe decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee.reason.text)
            case AMQP_CONNECTION_UNBLOCKED_METHOD:
                return .unblocked
            default: continue
            }
        }
        return nil
    }

    private func returnedMessage(on channel: UInt16) throws(AMQPFailure) -> Properties {
        var message = unsafe amqp_message_t()
        let reply = unsafe amqp_read_message(state, channel, &message, 0)
        try unsafe check(reply)
        defer { unsafe amqp_destroy_message(&message) }
        return unsafe Self.properties(message.properties)
    }

    /// The next method frame that has arrived; other frames are skipped, a closing is thrown.
    @unsafe
    private func method() throws(AMQPFailure) -> (channel: UInt16, method: amqp_method_t)? {
        while true {
            var frame = unsafe amqp_frame_t()
            var noWait = timeval()
            unsafe amqp_maybe_release_buffers(state)
            let status = unsafe amqp_simple_wait_frame_noblock(state, &frame, &noWait)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            guard status == AMQP_STATUS_OK.rawValue else { throw AMQPFailure(Self.text(of: status)) }
            guard unsafe frame.frame_type == UInt8(AMQP_FRAME_METHOD) else { continue }
            switch unsafe frame.payload.method.id {
            case AMQP_CONNECTION_CLOSE_METHOD, AMQP_CHANNEL_CLOSE_METHOD: throw unsafe Self.refusal(frame.payload.method)
            case AMQP_BASIC_CANCEL_METHOD: throw AMQPFailure("a queue was deleted")
            default: return unsafe (frame.channel, frame.payload.method)
            }
        }
    }
}
