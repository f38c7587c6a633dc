public import Deadlines

/// How many of something may be there at once, and how many may begin within a second, counted in Redis for all instances together.
///
/// A member is counted once under its name, whoever says so and however often, until it is released or nobody has refreshed it for a
/// lease: what a dead process had does not count for ever, and what another took over does not count twice.
public struct Allowances: Sendable {
    /// One bound that a member falls under.
    public struct Bound: Sendable, Equatable {
        /// What is counted; the same for all who share it.
        public let key: String
        /// Nil: any number.
        public let atOnce: Int?
        /// Within any second; nil: any number.
        public let perSecond: Int?

        public init(key: String, atOnce: Int?, perSecond: Int?) { (self.key, self.atOnce, self.perSecond) = (key, atOnce, perSecond) }
    }

    public enum Verdict: Sendable, Equatable {
        case admitted
        /// By the bound at this place: so many are there.
        case full(Int)
        /// By the bound at this place: so many began within the last second.
        case tooFast(Int)
    }

    public static let lease = Interval.seconds(20)
    /// Refresh every member at least this often.
    public static let refreshPause = Interval.seconds(5)

    private let cache: Cache
    private let prefix: String
    private let lease: Int64

    /// `name` tells those of one purpose from another's.
    public init(cache: Cache, name: String, lease: Interval = Allowances.lease) {
        (self.cache, prefix, self.lease) = (cache, "tandem:\(name):", Cache.milliseconds(lease))
    }

    /// Counts a member under all bounds, or under none. One that is counted already is admitted. Called once, on the cache's thread or,
    /// while Redis is away, before this returns.
    public func admit(_ member: String, under bounds: [Bound], completion: @escaping @Sendable (Result<Verdict, CacheError>) -> Void) {
        let numbers = bounds.flatMap { [CacheArgument($0.atOnce ?? -1), CacheArgument($0.perSecond ?? -1)] }
        cache.script(
            Self.admitScript, keys: bounds.flatMap { [setKey($0.key), listKey($0.key)] },
            arguments: [CacheArgument(member), CacheArgument(lease)] + numbers
        ) { result in
            completion(result.flatMap { reply in Result { () throws(CacheError) in try Self.verdict(reply) } })
        }
    }

    public func admit(_ member: String, under bounds: [Bound]) async throws(CacheError) -> Verdict {
        let result = await withCheckedContinuation { continuation in admit(member, under: bounds) { continuation.resume(returning: $0) } }
        return try result.get()
    }

    /// The members go on; one that Redis has forgotten is counted again, whatever the bounds say.
    public func refresh(_ members: [String], under key: String) {
        for start in stride(from: 0, to: members.count, by: 500) {
            let chunk = members[start..<min(start + 500, members.count)]
            cache.script(
                Self.refreshScript, keys: [setKey(key)], arguments: [CacheArgument(lease)] + chunk.map { CacheArgument($0) }) { _ in }
        }
    }

    /// Not sent again when Redis does not hear it: the lease ends then.
    public func release(_ member: String, under keys: [String]) {
        for key in keys { cache.command(["ZREM", CacheArgument(setKey(key)), CacheArgument(member)]) { _ in } }
    }

    /// How many are there now, of each.
    public func counts(_ keys: [String]) async throws(CacheError) -> [Int] {
        guard !keys.isEmpty else { return [] }
        let reply = try await cache.script(Self.countScript, keys: keys.map(setKey), arguments: [])
        guard let counts = reply.array, counts.count == keys.count else { throw .unexpectedReply("counts") }
        return counts.map { Int($0.integer ?? 0) }
    }

    private func setKey(_ key: String) -> String { prefix + "held:" + key }
    private func listKey(_ key: String) -> String { prefix + "begun:" + key }

    private static func verdict(_ reply: CacheReply) throws(CacheError) -> Verdict {
        guard let fields = reply.array, fields.count == 2, let kind = fields[0].integer, let place = fields[1].integer else {
            throw .unexpectedReply("admit")
        }
        switch kind {
        case 0: return .admitted
        case 1: return .full(Int(place) - 1)
        case 2: return .tooFast(Int(place) - 1)
        default: throw .unexpectedReply("admit")
        }
    }
}

extension Allowances {
    /// KEYS: of each bound the members with the end of their leases, and when the last ones began, the newest first. ARGV: the member, its
    /// lease, then of each bound how many at once and how many a second. The clock is Redis's, the same for all.
    private static let admitScript = LuaScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local member, lease = ARGV[1], tonumber(ARGV[2])
        local known = {}
        for index = 1, #KEYS / 2 do
            local held, begun = KEYS[index * 2 - 1], KEYS[index * 2]
            local most, rate = tonumber(ARGV[index * 2 + 1]), tonumber(ARGV[index * 2 + 2])
            redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
            known[index] = redis.call('ZSCORE', held, member)
            if not known[index] then
                if most >= 0 and redis.call('ZCARD', held) >= most then return {1, index} end
                if rate == 0 then return {2, index} end
                local count = rate > 0 and redis.call('LLEN', begun) or 0
                if rate > 0 and count >= rate and now - redis.call('LINDEX', begun, rate - 1 - count) < 1000 then return {2, index} end
            end
        end
        for index = 1, #KEYS / 2 do
            local held, begun, rate = KEYS[index * 2 - 1], KEYS[index * 2], tonumber(ARGV[index * 2 + 2])
            redis.call('ZADD', held, now + lease, member)
            redis.call('PEXPIRE', held, lease)
            if rate > 0 and not known[index] then
                redis.call('LPUSH', begun, now)
                redis.call('LTRIM', begun, 0, rate - 1)
                redis.call('PEXPIRE', begun, 1000)
            end
        end
        return {0, 0}
        """)

    private static let refreshScript = LuaScript(
        """
        local time = redis.call('TIME')
        local ending = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
        for index = 2, #ARGV do redis.call('ZADD', KEYS[1], ending, ARGV[index]) end
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        return 1
        """)

    private static let countScript = LuaScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local counts = {}
        for index = 1, #KEYS do counts[index] = redis.call('ZCOUNT', KEYS[index], '(' .. now, '+inf') end
        return counts
        """)
}
