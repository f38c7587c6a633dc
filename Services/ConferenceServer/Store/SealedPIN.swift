import Cryptography

/// A PIN as it lies in the database: encrypted with a key of its own, bound to the conference it opens and to what it is for.
struct SealedPIN: Sendable {
    enum Use: String, Sendable { case member, moderator }

    static let purpose = "conferences.pins"

    /// 32 bytes, for this purpose alone.
    let key: [UInt8]

    func seal(_ pin: String?, _ use: Use, of conference: String) throws(SealError) -> [UInt8]? {
        guard let pin else { return nil }
        let nonce = (0..<SealedBox.nonceLength).map { _ in UInt8.random(in: 0 ... .max) }
        return try SealedBox.seal(Array(pin.utf8), key: key, nonce: nonce, context: Self.context(use, conference))
    }

    /// Throws for what was sealed with another key: a conference whose PIN cannot be read must not stand open.
    func open(_ sealed: [UInt8]?, _ use: Use, of conference: String) throws(SealError) -> String? {
        guard let sealed else { return nil }
        return String(decoding: try SealedBox.open(sealed, key: key, context: Self.context(use, conference)), as: UTF8.self)
    }

    private static func context(_ use: Use, _ conference: String) -> [UInt8] { Array("\(conference)/\(use.rawValue)".utf8) }
}
