import Cache
import Deadlines
import FoundationEssentials
import JSONCoding

/// The copy of the bindings in Redis, which calls are routed by. The truth is in PostgreSQL; a missing or lost copy is made
/// again from it, and none lasts longer than five minutes.
struct BindingCopy: Sendable {
    private static let lifetime: Int64 = 300_000
    /// A copy is not replaced by an older one: two instances may write in either order.
    private static let saveScript = LuaScript(
        """
        local held = redis.call('HGET', KEYS[1], 'version')
        if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
        redis.call('HSET', KEYS[1], 'version', ARGV[1], 'bindings', ARGV[2], 'do_not_disturb', ARGV[4])
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        return 1
        """)

    private static let noteScript = LuaScript(
        """
        if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
        return 1
        """)
    private static let roundTrip = "round_trip:"

    let cache: Cache

    /// The bindings, and the microseconds that phones took to answer the last OPTIONS, by the binding's key.
    struct Loaded: Sendable {
        var set: BindingSet
        var doNotDisturb = false
        var roundTrips: [String: Int] = [:]
    }

    /// Nil when there is no copy or no Redis.
    func load(customer: String, number: String) async -> Loaded? {
        guard let fields = try? await cache.command(["HGETALL", CacheArgument(key(customer, number))]).array else { return nil }
        var values: [String: CacheReply] = [:]
        for index in stride(from: 0, to: fields.count - 1, by: 2) { values[fields[index].text ?? ""] = fields[index + 1] }
        guard let bytes = values["bindings"]?.bytes, let bindings = try? JSONText.decode([Binding].self, from: bytes) else {
            return nil
        }
        var loaded = Loaded(set: BindingSet(bindings), doNotDisturb: values["do_not_disturb"]?.text == "1")
        for (name, value) in values where name.hasPrefix(Self.roundTrip) {
            loaded.roundTrips[String(name.dropFirst(Self.roundTrip.count))] = value.integer.map { Int($0) }
        }
        return loaded
    }

    /// Returns when the copy is made, so that a call placed after the phone's 200 finds it. Without Redis there is no copy.
    func save(_ registration: Store.Registration, customer: String, number: String) async {
        guard let bindings = try? JSONText.encode(registration.set.bindings) else { return }
        _ = try? await cache.script(
            Self.saveScript, keys: [key(customer, number)],
            arguments: [
                CacheArgument(registration.version), CacheArgument(Array(bindings)), CacheArgument(Self.lifetime),
                CacheArgument(registration.doNotDisturb ? "1" : "0"),
            ])
    }

    /// How long the phone took to answer, beside the copy and for as long as that lasts; where there is no copy nobody asks.
    func note(roundTrip: Interval, of key: String, customer: String, number: String) {
        cache.script(
            Self.noteScript, keys: [self.key(customer, number)],
            arguments: [CacheArgument(Self.roundTrip + key), CacheArgument(roundTrip.nanoseconds / 1_000)]
        ) { _ in }
    }

    func forget(customer: String, number: String) async { _ = try? await cache.delete(key(customer, number)) }

    /// The length in front keeps one customer's keys apart from another's, whatever the number holds.
    private func key(_ customer: String, _ number: String) -> String {
        "tandem:bindings:\(customer.utf8.count):\(customer):\(number)"
    }
}
