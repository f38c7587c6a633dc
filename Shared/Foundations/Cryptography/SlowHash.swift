internal import Bytes
internal import COpenSSL

/// A short secret as it is kept: salted, and slow to try (PBKDF2 of RFC 8018 with HMAC-SHA-256), as `pbkdf2-sha256$ROUNDS$SALT$HASH`.
public struct SlowHash: Sendable, Equatable {
    public static let saltLength = 16
    private static let (name, length) = ("pbkdf2-sha256", 32)
    private static let mostRounds = 10_000_000

    public let text: String

    /// The salt is the caller's, fresh for every secret.
    public init(of secret: String, salt: [UInt8], rounds: Int) {
        let rounds = min(max(rounds, 1), Self.mostRounds)
        text = "\(Self.name)$\(rounds)$\(Base64.encode(salt))$\(Base64.encode(Self.derive(secret, salt, rounds)))"
    }

    /// One that was kept.
    public init(text: String) { self.text = text }

    /// Whether it is that secret; what cannot be read is none.
    public func isOf(_ secret: String) -> Bool {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == Self.name, let rounds = Int(parts[1]), (1...Self.mostRounds).contains(rounds),
            let salt = Base64.decode(parts[2].utf8), let hash = Base64.decode(parts[3].utf8)
        else { return false }
        return equalInConstantTime(Self.derive(secret, salt, rounds), hash)
    }

    private static func derive(_ secret: String, _ salt: [UInt8], _ rounds: Int) -> [UInt8] {
        let password = Array(secret.utf8).map { CChar(bitPattern: $0) }
        var hash = [UInt8](repeating: 0, count: length)
        let done = unsafe PKCS5_PBKDF2_HMAC(
            password, Int32(password.count), salt, Int32(salt.count), Int32(rounds), EVP_sha256(), Int32(length), &hash)
        precondition(done == 1, "OpenSSL provides PBKDF2")
        return hash
    }
}
