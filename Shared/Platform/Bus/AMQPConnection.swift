internal import CRabbitMQ
internal import Contracts
internal import FoundationEssentials
internal import Glibc

/// Why a connection can no longer be used; the owner opens a new one.
struct AMQPFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// One connection to RabbitMQ: the owner of a librabbitmq handle. For one thread at a time; every call may block for two seconds.
@safe
final class AMQPConnection {
    private static let connectTimeout = 1
    private static let replyTimeout = 2
    /// Seconds; the peer is dead after two of them without a byte. Serviced inside `receive` and `publish` only.
    private static let heartbeat: Int32 = 5
    private static let largestFrame: Int32 = 131_072

    let state: amqp_connection_state_t
    let arena = AMQPArena()
    private(set) var descriptor: Int32 = -1

    init(_ settings: Bus.Settings) throws(AMQPFailure) {
        guard let state = unsafe amqp_new_connection() else { preconditionFailure("out of memory") }
        unsafe self.state = state
        // From here on a failure runs `deinit`.
        guard let socket = unsafe amqp_tcp_socket_new(state) else { preconditionFailure("out of memory") }
        var connectTimeout = timeval(tv_sec: Self.connectTimeout, tv_usec: 0)
        var replyTimeout = timeval(tv_sec: Self.replyTimeout, tv_usec: 0)
        let opened = unsafe amqp_socket_open_noblock(socket, settings.host, Int32(settings.port), &connectTimeout)
        guard opened == AMQP_STATUS_OK.rawValue else {
            // A refused connection leaves EINPROGRESS behind: the library connects without blocking and keeps the reason.
            let isKnown = errno != 0 && errno != EINPROGRESS
            throw AMQPFailure(isKnown ? unsafe String(cString: strerror(errno)).lowercased() : "no connection can be made")
        }
        unsafe amqp_set_handshake_timeout(state, &replyTimeout)
        unsafe amqp_set_rpc_timeout(state, &replyTimeout)
        descriptor = unsafe amqp_get_sockfd(state)
        var yes: Int32 = 1
        // A small message must not wait for the acknowledgement of the one before.
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        var room: Int32 = 131_072
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        // Without these the broker neither says that it takes no messages, nor that a queue is gone.
        var properties = unsafe arena.table([
            ("capabilities", .fields([("connection.blocked", .flag(true)), ("consumer_cancel_notify", .flag(true))]))
        ])
        let login = unsafe tandem_amqp_login_plain(
            state, settings.virtualHost, 0, Self.largestFrame, Self.heartbeat, &properties, settings.user, settings.password)
        arena.recycle()
        try unsafe check(login)
    }

    deinit { unsafe amqp_destroy_connection(state) }

    /// Whether the kernel takes a message of some KiB at once: it says so while at least a third of its buffer is free.
    func takesMore() -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&polled, 1, 0) == 1 && polled.revents == Int16(POLLOUT)
    }

    /// Says good-bye, so that the broker frees exclusive queues before the next one comes.
    func close() { _ = unsafe amqp_connection_close(state, AMQP_REPLY_SUCCESS) }

    func openChannel(_ channel: UInt16) throws(AMQPFailure) {
        _ = unsafe amqp_channel_open(state, channel)
        try checkLast()
    }

    /// The broker confirms every message published on this channel (basic.ack).
    func selectConfirms(_ channel: UInt16) throws(AMQPFailure) {
        _ = unsafe amqp_confirm_select(state, channel)
        try checkLast()
    }

    func publish(_ message: Message, on channel: UInt16) throws(AMQPFailure) {
        defer { arena.recycle() }
        var properties = unsafe basicProperties(message.properties, furtherKeys: message.furtherKeys)
        let status = unsafe message.body.withUnsafeBytes { body in
            unsafe amqp_basic_publish(
                state, channel, arena.bytes(message.exchange), arena.bytes(message.routingKey), message.isMandatory ? 1 : 0, 0,
                &properties, amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress)))
        }
        guard status == AMQP_STATUS_OK.rawValue else { throw AMQPFailure(Self.text(of: status)) }
    }

    /// `isMultiple`: those before it on the channel are done, too.
    func settle(channel: UInt16, tag: UInt64, _ verdict: Verdict, isMultiple: Bool) throws(AMQPFailure) {
        let status =
            switch verdict {
            case .done: unsafe amqp_basic_ack(state, channel, tag, isMultiple ? 1 : 0)
            case .again: unsafe amqp_basic_nack(state, channel, tag, 0, 1)
            case .dead: unsafe amqp_basic_nack(state, channel, tag, 0, 0)
            }
        guard status == AMQP_STATUS_OK.rawValue else { throw AMQPFailure(Self.text(of: status)) }
    }

    // MARK: Failures

    func checkLast() throws(AMQPFailure) {
        defer { arena.recycle() }
        try unsafe check(amqp_get_rpc_reply(state))
    }

    func check(_ reply: amqp_rpc_reply_t) throws(AMQPFailure) {
        switch unsafe reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION: throw unsafe Self.refusal(reply.reply)
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: throw AMQPFailure(Self.text(of: unsafe reply.library_error))
        default: throw AMQPFailure("the broker closed the connection")
        }
    }

    /// The reason in a connection.close or channel.close.
    static func refusal(_ method: amqp_method_t) -> AMQPFailure {
        guard let decoded = unsafe method.decoded else { return AMQPFailure("the broker closed the connection") }
        switch unsafe method.id {
        case AMQP_CONNECTION_CLOSE_METHOD:
            return AMQPFailure(unsafe decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee.reply_text.text)
        case AMQP_CHANNEL_CLOSE_METHOD:
            return AMQPFailure(unsafe decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee.reply_text.text)
        default:
            return AMQPFailure("unexpected AMQP method \(unsafe method.id)")
        }
    }

    static func text(of status: Int32) -> String {
        guard let text = unsafe amqp_error_string2(status) else { return "AMQP status \(status)" }
        return unsafe String(cString: text)
    }
}
