import Addresses
import Cache
import Deadlines
import Synchronization
import Threads

/// The bans of all edges, in a stream of Redis: each adds its own and reads what came since it last looked.
///
/// What it misses while Redis is away holds at the edge it began at, and is told again afterwards.
final class BanStream: Sendable {
    private static let capacity = 10_000
    private static let batch = 500

    private let cache: Cache
    private let key: String
    /// No ban is longer, and so nothing in the stream is worth more.
    private let longest: Interval
    /// The id of the newest entry that was read; the beginning for one that has read nothing, and for a Redis that came back.
    private let last = Mutex("0")

    init(cache: Cache, key: String = "tandem:edge:bans", longest: Interval) {
        (self.cache, self.key, self.longest) = (cache, key, longest)
        cache.onReconnect { [weak self] in self?.last.withLock { $0 = "0" } }
    }

    /// `body` runs on every new connection to Redis.
    func onReturn(_ body: @escaping @Sendable () -> Void) { cache.onReconnect(body) }

    func publish(_ ban: Ban) {
        let until = WallClock.milliseconds() + ban.length.nanoseconds / 1_000_000
        let entry: [CacheArgument] = [
            "XADD", CacheArgument(key), "MAXLEN", "~", CacheArgument(Self.capacity), "*", "source", CacheArgument("\(ban.block)"),
            "until", CacheArgument(until), "count", CacheArgument(ban.count),
        ]
        // A failure is no loss: the ban holds here, and `onReturn` comes when Redis does.
        cache.command(entry) { _ in }
        let milliseconds = longest.nanoseconds / 1_000_000
        cache.command(["PEXPIRE", CacheArgument(key), CacheArgument(milliseconds)]) { _ in }
    }

    /// What is in force of what came since the last time; nothing while Redis is away.
    func read() async -> [Ban] {
        var bans: [Ban] = []
        while true {
            let since = last.withLock { $0 }
            let command: [CacheArgument] = [
                "XREAD", "COUNT", CacheArgument(Self.batch), "STREAMS", CacheArgument(key), CacheArgument(since),
            ]
            let reply: CacheReply
            do throws(CacheError) { reply = try await cache.command(command) } catch { return bans }
            let entries = reply.array?.first?.array?.last?.array ?? []
            let now = WallClock.milliseconds()
            bans += entries.compactMap { Self.ban($0, now: now, longest) }
            guard let newest = entries.last?.array?.first?.text else { return bans }
            last.withLock { if $0 == since { $0 = newest } }
            guard entries.count == Self.batch else { return bans }
        }
    }

    /// Nil for one that is over, and for what no edge has written.
    private static func ban(_ entry: CacheReply, now: Int64, _ longest: Interval) -> Ban? {
        let fields = entry.array?.last?.array ?? []
        func field(_ name: String) -> CacheReply? {
            fields.indices.first { $0.isMultiple(of: 2) && fields[$0].text == name }.flatMap {
                $0 + 1 < fields.count ? fields[$0 + 1] : nil
            }
        }
        guard let block = field("source")?.text.flatMap({ IPAddress($0) }), let until = field("until")?.integer, until > now,
            let count = field("count")?.integer, 1...1_000_000 ~= count
        else { return nil }
        let milliseconds = min(until - now, longest.nanoseconds / 1_000_000)
        return Ban(block: block, length: .milliseconds(Int(milliseconds)), count: Int(count))
    }
}
