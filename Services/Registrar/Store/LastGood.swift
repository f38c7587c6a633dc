import Bytes
import Cache
import Cryptography
import Deadlines
import FoundationEssentials
import JSONCoding
import Synchronization
import Threads

/// What was last read of accounts and extensions, kept encrypted in Redis for an hour and used only while PostgreSQL is
/// away: calls of known extensions go on (RELIABILITY D3).
///
/// A number that is called all the time is written once in a while, and when it has changed.
final class LastGood: Sendable {
    static let purpose = "registrar.last-good"
    private static let lifetime = Interval.seconds(3_600)
    /// By then what Redis has lost is there again.
    private static let renewal = Interval.seconds(15)
    private static let capacity = 10_000

    private let cache: Cache
    /// 32 bytes, for this purpose alone.
    private let key: [UInt8]
    /// What was written lately, and until when it need not be again.
    private let written = Mutex<[String: (plain: [UInt8], until: Instant)]>([:])

    init(cache: Cache, key: [UInt8]) {
        (self.cache, self.key) = (cache, key)
        // It may have come back empty.
        cache.onReconnect { [weak self] in self?.written.withLock { $0 = [:] } }
    }

    /// Does not wait: the copy is of use only later.
    func keep(_ value: some Encodable, as name: String) {
        guard let plain = try? JSONText.encode(value), !isKept(plain, as: name) else { return }
        let nonce = (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: 0 ... .max) }
        guard let sealed = try? SealedBox.seal(plain, key: key, nonce: nonce, context: Array(name.utf8)) else { return }
        let milliseconds = Self.lifetime.nanoseconds / 1_000_000
        cache.command(["SET", CacheArgument(redisKey(name)), CacheArgument(sealed), "PX", CacheArgument(milliseconds)]) { result in
            if case .failure = result { self.written.withLock { $0[name] = nil } }
        }
    }

    private func isKept(_ plain: [UInt8], as name: String) -> Bool {
        let now = MonotonicClock.now()
        return written.withLock { written in
            if let last = written[name], last.until > now, last.plain == plain { return true }
            // Beyond that each is written again, which is no harm.
            if written.count >= Self.capacity { written = [:] }
            written[name] = (plain, now + Self.renewal)
            return false
        }
    }

    func find<Value: Decodable>(_ type: Value.Type, _ name: String) async -> Value? {
        guard let sealed = try? await cache.get(redisKey(name)),
            let plain = try? SealedBox.open(sealed, key: key, context: Array(name.utf8))
        else { return nil }
        return try? JSONText.decode(type, from: plain)
    }

    func forget(_ name: String) {
        written.withLock { $0[name] = nil }
        cache.command(["DEL", CacheArgument(redisKey(name))]) { _ in }
    }

    static func account(_ number: String, _ domain: String) -> String { "account:\(domain):\(number)" }
    static func number(_ number: String, _ customer: String) -> String { "number:\(customer.utf8.count):\(customer):\(number)" }

    private func redisKey(_ name: String) -> String { "tandem:registrar:\(name)" }
}
