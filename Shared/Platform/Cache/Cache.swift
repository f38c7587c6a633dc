public import Deadlines
public import Logging

/// Redis for one service (DESIGN §5): one connection on a thread of its own. All commands that wait are sent together and
/// their replies read together.
///
/// Whatever is in it can be rebuilt, so nothing waits for it: while Redis is away, commands fail at once with
/// `CacheError.unavailable`.
public final class Cache: Sendable {
    public typealias Completion = @Sendable (Result<CacheReply, CacheError>) -> Void

    private let pipeline: Pipeline

    public init(settings: Settings, logger: Logger) { pipeline = Pipeline(settings, logger: logger) }

    /// Connects, and returns when Redis is there; says every few seconds what is missing.
    public func start() async {
        pipeline.start()
        await pipeline.availability.wait()
    }

    /// The same for who does not wait for it.
    public func startAside() { pipeline.start() }

    public func stop() { pipeline.stop() }

    public var isReady: Bool { pipeline.availability.isHere }

    /// For /healthz.
    public var condition: String { pipeline.availability.reason ?? "connected" }

    /// Called on every new connection: Redis may have come back empty, so owners write again what they own. The body runs
    /// on the cache's thread and must not block.
    public func onReconnect(_ body: @escaping @Sendable () -> Void) { pipeline.onReconnect(body) }

    /// The completion is called once, on the cache's thread or, when Redis is away, before this returns.
    public func command(_ arguments: [CacheArgument], completion: @escaping Completion) {
        pipeline.put(.command(arguments), completion)
    }

    public func script(
        _ script: LuaScript, keys: [String], arguments: [CacheArgument], completion: @escaping Completion
    ) {
        pipeline.put(.script(script, keys.map { CacheArgument($0) }, arguments), completion)
    }

    @discardableResult
    public func command(_ arguments: [CacheArgument]) async throws(CacheError) -> CacheReply {
        let result = await withCheckedContinuation { continuation in
            command(arguments) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Runs a script by its digest; Redis is taught it again when it has forgotten.
    @discardableResult
    public func script(
        _ script: LuaScript, keys: [String], arguments: [CacheArgument]
    ) async throws(CacheError) -> CacheReply {
        let result = await withCheckedContinuation { continuation in
            self.script(script, keys: keys, arguments: arguments) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    public func get(_ key: String) async throws(CacheError) -> [UInt8]? {
        try await command(["GET", CacheArgument(key)]).bytes
    }

    /// Everything in a cache ends some time: `ttl` is not optional.
    public func set(_ key: String, _ value: [UInt8], ttl: Interval) async throws(CacheError) {
        try await command(["SET", CacheArgument(key), CacheArgument(value), "PX", CacheArgument(Self.milliseconds(ttl))])
    }

    /// Whether the key was there.
    @discardableResult
    public func delete(_ key: String) async throws(CacheError) -> Bool {
        try await command(["DEL", CacheArgument(key)]).integer == 1
    }

    static func milliseconds(_ interval: Interval) -> Int64 { max(1, interval.nanoseconds / 1_000_000) }
}

/// A script Redis runs atomically. Its keys and arguments are `KEYS` and `ARGV`.
public struct LuaScript: Sendable, Hashable {
    let text: String

    public init(_ text: String) { self.text = text }
}
