import Cache

/// Webhooks whose request has gone out and of which it is not known what came of it. Who was to note that has died, and whether the server has
/// acted is anybody's guess: such a one is given up as `interrupted`, so that no death makes a step do a thing twice (RELIABILITY K6). Without
/// Redis they are sent.
struct BegunWebhooks: Sendable {
    enum Beginning: Sendable, Equatable {
        case ours
        /// An attempt has begun, and nobody knows its end.
        case interrupted
        /// The server has taken it; that could not be stored.
        case taken
    }

    private static let (open, taken) = ("1", "taken")
    /// Milliseconds after its end: until then PostgreSQL may crash and forget that it was taken.
    private static let afterlife: Int64 = 60_000

    let cache: Cache
    /// Milliseconds that one is tried.
    let longest: Int

    /// Before an attempt.
    func begin(_ webhook: Webhook) async -> Beginning {
        guard webhook.isOfStep else { return .ours }
        do throws(CacheError) {
            let key = Self.key(webhook)
            let reply = try await cache.command(["SET", CacheArgument(key), CacheArgument(Self.open), "NX", "PX", CacheArgument(length)])
            guard reply == .null else { return .ours }
            return try await cache.command(["GET", CacheArgument(key)]).text == Self.taken ? .taken : .interrupted
        } catch {
            return .ours
        }
    }

    /// What the server said.
    func note(_ end: Webhook.End, of webhook: Webhook) {
        guard webhook.isOfStep else { return }
        switch end {
        case .taken: cache.command(["SET", CacheArgument(Self.key(webhook)), CacheArgument(Self.taken), "PX", CacheArgument(length)]) { _ in }
        // It has refused, or said nothing in time, and we are here to try again.
        case .again: cache.command(["DEL", CacheArgument(Self.key(webhook))]) { _ in }
        case .dead: break
        }
    }

    /// What came of it is stored.
    func forget(_ webhook: Webhook) {
        guard webhook.isOfStep else { return }
        cache.command(["PEXPIRE", CacheArgument(Self.key(webhook)), CacheArgument(Self.afterlife)]) { _ in }
    }

    private var length: Int64 { max(Self.afterlife, Int64(longest)) }

    private static func key(_ webhook: Webhook) -> String { "tandem:flow:webhook:\(webhook.id)" }
}
