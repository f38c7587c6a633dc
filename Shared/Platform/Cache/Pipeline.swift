internal import Deadlines
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Threads

/// The connection's thread: collects the commands that have come, sends them in one go, reads all replies.
final class Pipeline: @unchecked Sendable {
    // Sendable: `connection` and below are touched on `thread` only.

    enum Request: Sendable {
        case command([CacheArgument])
        case script(LuaScript, [CacheArgument], [CacheArgument])
    }

    private struct Pending: Sendable {
        let request: Request
        let completion: Cache.Completion
    }

    /// What a reply in the pipeline is for.
    private enum Expected {
        case reply(Pending)
        case digest(of: LuaScript)
    }

    private static let limit = 8_192
    /// Commands sent before their replies are read: bounds what lies in both directions' buffers.
    private static let batch = 512
    private static let refused = Counter("tandem_cache_refused_total", "Commands refused: Redis was away or too many waited.")

    let availability = Availability()
    private let thread = ConnectionThread(name: "cache", capacity: Pipeline.limit)
    private let reconnected = Mutex<[@Sendable () -> Void]>([])

    private let settings: Cache.Settings
    private let logger: Logger
    private var connection: RedisConnection?
    private var retryAt = Instant(nanoseconds: 0)
    private var backoff = Backoff()
    private var waiting: [Pending] = []
    private var digests: [LuaScript: String] = [:]

    init(_ settings: Cache.Settings, logger: Logger) { (self.settings, self.logger) = (settings, logger) }

    func start() { thread.start { self.attend($0) } }

    func stop() {
        availability.close()
        thread.stop()
    }

    func onReconnect(_ body: @escaping @Sendable () -> Void) { reconnected.withLock { $0.append(body) } }

    func put(_ request: Request, _ completion: @escaping Cache.Completion) {
        if let reason = availability.reason {
            Self.refused.add()
            return completion(.failure(.unavailable("Redis is away: \(reason)")))
        }
        guard !thread.submit({ self.waiting.append(Pending(request: request, completion: completion)) }) else { return }
        Self.refused.add()
        completion(.failure(.unavailable("too many commands wait for Redis")))
    }

    // MARK: Thread

    private func attend(_ occasion: ConnectionThread.Occasion) -> ConnectionThread.Pause {
        if occasion == .ready, let connection, waiting.isEmpty, !connection.isAlive() { fail("the connection was closed", []) }
        let now = MonotonicClock.now()
        if connection == nil, now >= retryAt { connect() }
        while !waiting.isEmpty { send() }
        guard let connection else { return .init(limit: max(.milliseconds(1), retryAt - MonotonicClock.now())) }
        return .init(descriptor: connection.descriptor)
    }

    private func connect() {
        do {
            connection = try RedisConnection(settings)
            digests = [:]
            backoff.reset()
            availability.came()
            for body in reconnected.withLock({ $0 }) { body() }
        } catch {
            let reason = if case .unavailable(let reason) = error { reason } else { "\(error)" }
            fail(reason, [])
        }
    }

    private func fail(_ reason: String, _ stranded: [Pending]) {
        connection = nil
        let now = MonotonicClock.now()
        retryAt = now + backoff.next(random: .random(in: 0 ... .max))
        if availability.left(reason, now: now) { logger.warning("waiting for Redis at \(settings.address): \(reason)") }
        strand(stranded, reason)
    }

    private func strand(_ sent: [Pending], _ reason: String) {
        let stranded = sent + waiting
        waiting = []
        for pending in stranded { pending.completion(.failure(.unavailable("Redis is away: \(reason)"))) }
    }

    private func send() {
        guard let connection else { return strand([], availability.reason ?? "not connected") }
        let batch = Array(waiting.prefix(Self.batch))
        waiting.removeFirst(batch.count)
        var expected: [Expected] = []
        var taught: Set<LuaScript> = []
        var done = 0
        do throws(CacheError) {
            for pending in batch {
                switch pending.request {
                case .command(let arguments): try connection.append(arguments)
                case .script(let script, let keys, let arguments):
                    let count = CacheArgument(keys.count)
                    if let digest = digests[script] {
                        try connection.append(["EVALSHA", CacheArgument(digest), count] + keys + arguments)
                    } else {
                        if taught.insert(script).inserted {
                            try connection.append(["SCRIPT", "LOAD", CacheArgument(script.text)])
                            expected.append(.digest(of: script))
                        }
                        try connection.append(["EVAL", CacheArgument(script.text), count] + keys + arguments)
                    }
                }
                expected.append(.reply(pending))
            }
            while done < expected.count {
                let reply = try connection.reply()
                done += 1
                take(reply, for: expected[done - 1])
            }
        } catch {
            let unanswered = expected.dropFirst(done).compactMap { if case .reply(let pending) = $0 { pending } else { nil } }
            let replies = expected.count { if case .reply = $0 { true } else { false } }
            fail("\(error.reason)", unanswered + batch.dropFirst(replies))
        }
    }

    private func take(_ reply: CacheReply, for expected: Expected) {
        switch expected {
        case .digest(let script): digests[script] = reply.text
        case .reply(let pending):
            guard case .error(let text) = reply else { return pending.completion(.success(reply)) }
            if case .script(let script, _, _) = pending.request, text.hasPrefix("NOSCRIPT"), digests[script] != nil {
                // Redis was restarted or flushed between two commands: the next round sends the text.
                digests[script] = nil
                waiting.append(pending)
            } else if case .script = pending.request, text.hasPrefix("NOSCRIPT") {
                waiting.append(pending)
            } else {
                pending.completion(.failure(.refused(text)))
            }
        }
    }
}

extension CacheError {
    var reason: String {
        switch self {
        case .unavailable(let reason), .refused(let reason), .unexpectedReply(let reason): reason
        }
    }
}
