import Bytes
import Cache
import Cryptography
import Deadlines
import FoundationEssentials
import JSONCoding

/// What was last read of accounts and extensions, kept encrypted in Redis for an hour and used only while PostgreSQL is
/// away: calls of known extensions go on (RELIABILITY D3).
struct LastGood: Sendable {
    static let purpose = "registrar.last-good"
    private static let lifetime = Interval.seconds(3_600)

    let cache: Cache
    /// 32 bytes, for this purpose alone.
    let key: [UInt8]

    /// Does not wait: the copy is of use only later.
    func keep(_ value: some Encodable, as name: String) {
        let nonce = (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: 0 ... .max) }
        guard let plain = try? JSONText.encode(value),
            let sealed = try? SealedBox.seal(Array(plain), key: key, nonce: nonce, context: Array(name.utf8))
        else { return }
        let milliseconds = Self.lifetime.nanoseconds / 1_000_000
        cache.command(["SET", CacheArgument(redisKey(name)), CacheArgument(sealed), "PX", CacheArgument(milliseconds)]) { _ in }
    }

    func find<Value: Decodable>(_ type: Value.Type, _ name: String) async -> Value? {
        guard let sealed = try? await cache.get(redisKey(name)),
            let plain = try? SealedBox.open(sealed, key: key, context: Array(name.utf8))
        else { return nil }
        return try? JSONText.decode(type, from: plain)
    }

    func forget(_ name: String) { cache.command(["DEL", CacheArgument(redisKey(name))]) { _ in } }

    static func account(_ number: String, _ domain: String) -> String { "account:\(domain):\(number)" }
    static func number(_ number: String, _ customer: String) -> String { "number:\(customer.utf8.count):\(customer):\(number)" }

    private func redisKey(_ name: String) -> String { "tandem:registrar:\(name)" }
}
