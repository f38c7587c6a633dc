import Bytes
import Cryptography

/// The secret a customer's program sends: `tk_` and 256 random bits. Only its digest is stored; a guess is hopeless at this
/// size, so the digest needs no salt and no slowness.
struct APIKey: Sendable {
    static let prefix = "tk_"
    let secret: String

    init(random: [UInt8]) {
        precondition(random.count == 32, "a key is 256 random bits")
        secret = Self.prefix + Base64.encode(random, .urlSafe)
    }

    static func digest(_ secret: String) -> [UInt8] { DigestAlgorithm.sha256.hash(secret) }

    /// The credentials of `Authorization: Bearer KEY` (RFC 6750 §2.1); nil when the field is missing or of another scheme.
    static func bearer(_ field: String?) -> String? {
        guard let field, field.utf8.count <= 512, field.utf8.count > 7, ASCII.equalsIgnoringCase(field.prefix(7), "bearer ") else {
            return nil
        }
        let credentials = field.dropFirst(7).drop { $0 == " " }
        return credentials.isEmpty || credentials.contains(" ") ? nil : String(credentials)
    }
}
