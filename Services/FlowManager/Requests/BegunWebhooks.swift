import Cache

/// Webhooks whose request has gone out and of which it is not known what came of it. Who was to note that has died, and whether the server has
/// acted is anybody's guess: such a one is given up as `interrupted`, so no step does a thing twice (RELIABILITY §4.4). Without Redis they are
/// sent.
struct BegunWebhooks: Sendable {
    /// Milliseconds after its end: until then PostgreSQL may crash and forget that it was taken.
    private static let afterlife: Int64 = 60_000

    let cache: Cache
    /// Milliseconds that one is tried.
    let longest: Int

    /// Before an attempt; false when another attempt has begun and nobody knows its end.
    func begin(_ webhook: Webhook) async -> Bool {
        guard webhook.isOfStep else { return true }
        do throws(CacheError) {
            let length = max(Self.afterlife, Int64(longest))
            return try await cache.command(["SET", CacheArgument(Self.key(webhook)), "1", "NX", "PX", CacheArgument(length)]) != .null
        } catch {
            return true
        }
    }

    /// The server has refused it, or was not reached: the next attempt is due.
    func forget(_ webhook: Webhook) {
        guard webhook.isOfStep else { return }
        cache.command(["DEL", CacheArgument(Self.key(webhook))]) { _ in }
    }

    /// What came of it is stored.
    func end(_ webhook: Webhook) {
        guard webhook.isOfStep else { return }
        cache.command(["PEXPIRE", CacheArgument(Self.key(webhook)), CacheArgument(Self.afterlife)]) { _ in }
    }

    private static func key(_ webhook: Webhook) -> String { "tandem:flow:webhook:\(webhook.id)" }
}
