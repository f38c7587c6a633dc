import Cache
import Deadlines
import FoundationEssentials

/// The copy of the bindings in Redis, which calls are routed by. The truth is in PostgreSQL; a missing or lost copy is made
/// again from it, and none lasts longer than five minutes.
struct BindingCopy: Sendable {
    private static let lifetime: Int64 = 300_000
    /// A copy is not replaced by an older one: two instances may write in either order.
    private static let saveScript = LuaScript(
        """
        local held = redis.call('HGET', KEYS[1], 'version')
        if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
        redis.call('HSET', KEYS[1], 'version', ARGV[1], 'bindings', ARGV[2])
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        return 1
        """)

    let cache: Cache

    /// Nil when there is no copy or no Redis.
    func load(customer: String, number: String) async -> BindingSet? {
        guard let reply = try? await cache.command(["HGET", CacheArgument(key(customer, number)), "bindings"]),
            let bytes = reply.bytes, let bindings = try? JSONDecoder().decode([Binding].self, from: Data(bytes))
        else { return nil }
        return BindingSet(bindings)
    }

    /// Returns when the copy is made, so that a call placed after the phone's 200 finds it. Without Redis there is no copy.
    func save(_ registration: Store.Registration, customer: String, number: String) async {
        guard let bindings = try? JSONEncoder().encode(registration.set.bindings) else { return }
        _ = try? await cache.script(
            Self.saveScript, keys: [key(customer, number)],
            arguments: [CacheArgument(registration.version), CacheArgument(Array(bindings)), CacheArgument(Self.lifetime)])
    }

    func forget(customer: String, number: String) async { _ = try? await cache.delete(key(customer, number)) }

    /// The length in front keeps one customer's keys apart from another's, whatever the number holds.
    private func key(_ customer: String, _ number: String) -> String {
        "tandem:bindings:\(customer.utf8.count):\(customer):\(number)"
    }
}
