internal import CHiredis
internal import Glibc

/// One connection to Redis: the owner of a hiredis context. Belongs to one thread; a reply is waited for one second.
@safe
final class RedisConnection {
    private static let timeout = timeval(tv_sec: 1, tv_usec: 0)
    private let context: UnsafeMutablePointer<redisContext>

    init(_ settings: Cache.Settings) throws(CacheError) {
        guard let context = unsafe redisConnectWithTimeout(settings.host, Int32(settings.port), Self.timeout) else {
            preconditionFailure("out of memory")
        }
        unsafe self.context = context
        // From here on a failure runs `deinit`.
        guard unsafe context.pointee.err == 0 else { throw .unavailable(failureText) }
        unsafe redisSetTimeout(context, Self.timeout)
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        if let password = settings.password { try perform(["AUTH", CacheArgument(password)]) }
        if settings.database != 0 { try perform(["SELECT", CacheArgument(settings.database)]) }
        // Redis answers while it still loads its data: only then is it there.
        try perform(["PING"])
    }

    deinit { unsafe redisFree(context) }

    var descriptor: Int32 { unsafe context.pointee.fd }

    /// Puts a command into the output buffer; it is sent with the first `reply`.
    func append(_ arguments: [CacheArgument]) throws(CacheError) {
        let lengths = arguments.map(\.bytes.count)
        var pointers: [UnsafePointer<CChar>?] = unsafe []
        // One block for all arguments, so that one pointer lends them all.
        let block = arguments.flatMap(\.bytes) + [0]
        let status = unsafe block.withUnsafeBytes { block in
            var offset = 0
            for length in lengths {
                unsafe pointers.append(block.baseAddress.map { unsafe ($0 + offset).assumingMemoryBound(to: CChar.self) })
                offset += length
            }
            return unsafe redisAppendCommandArgv(context, Int32(lengths.count), &pointers, lengths)
        }
        guard status == REDIS_OK else { throw .unavailable(failureText) }
    }

    /// The reply to the oldest command without one. `unavailable` means that the connection can no longer be used.
    func reply() throws(CacheError) -> CacheReply {
        var reply: UnsafeMutableRawPointer?
        guard unsafe redisGetReply(context, &reply) == REDIS_OK, let reply = unsafe reply else {
            throw .unavailable(failureText)
        }
        defer { unsafe freeReplyObject(reply) }
        return unsafe Self.convert(reply.assumingMemoryBound(to: redisReply.self))
    }

    /// False when the server has closed an idle connection.
    func isAlive() -> Bool {
        var byte: UInt8 = 0
        let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return count < 0 && (errno == EAGAIN || errno == EINTR)
    }

    private func perform(_ arguments: [CacheArgument]) throws(CacheError) {
        try append(arguments)
        if case .error(let text) = try reply() { throw .unavailable(text) }
    }

    private static func convert(_ reply: UnsafePointer<redisReply>) -> CacheReply {
        func bytes() -> [UInt8] {
            guard let text = unsafe reply.pointee.str else { return [] }
            return unsafe Array(UnsafeRawBufferPointer(start: text, count: Int(reply.pointee.len)))
        }
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_INTEGER: return .integer(unsafe reply.pointee.integer)
        case REDIS_REPLY_STATUS: return .status(String(decoding: bytes(), as: UTF8.self))
        case REDIS_REPLY_ERROR: return .error(String(decoding: bytes(), as: UTF8.self))
        case REDIS_REPLY_STRING: return .bytes(bytes())
        case REDIS_REPLY_ARRAY:
            return .array(
                unsafe UnsafeBufferPointer(start: reply.pointee.element, count: Int(reply.pointee.elements)).map { element in
                    guard let element = unsafe element else { return .null }
                    return unsafe convert(element)
                })
        default: return .null
        }
    }

    private var failureText: String {
        let text = unsafe withUnsafeBytes(of: &context.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.isEmpty ? "no reply within a second" : text.lowercased()
    }
}
