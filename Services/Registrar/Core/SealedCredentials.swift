import Cryptography
import SIP

/// What is kept of a password: both HA1 of RFC 8760, encrypted, bound to the extension they belong to.
struct SealedCredentials: Sendable {
    struct Opened: Sendable, Equatable {
        var md5: String
        var sha256: String
    }

    static let purpose = "registrar.credentials"

    /// 32 bytes, for this purpose alone.
    let key: [UInt8]

    /// `nonce` must never come twice: the caller draws it.
    func seal(
        number: String, domain: String, password: String, extensionID: String, nonce: [UInt8]
    ) throws(SealError) -> [UInt8] {
        let md5 = Digest.ha1(user: number, realm: domain, password: password, .md5)
        let sha256 = Digest.ha1(user: number, realm: domain, password: password, .sha256)
        return try SealedBox.seal(Array("\(md5):\(sha256)".utf8), key: key, nonce: nonce, context: Array(extensionID.utf8))
    }

    /// Nil for what was sealed with another key or for another extension.
    func open(_ sealed: [UInt8], extensionID: String) -> Opened? {
        guard let text = try? SealedBox.open(sealed, key: key, context: Array(extensionID.utf8)) else { return nil }
        let parts = String(decoding: text, as: UTF8.self).split(separator: ":")
        return parts.count == 2 ? Opened(md5: String(parts[0]), sha256: String(parts[1])) : nil
    }

    /// The work of `open` where there is nothing to open, so that how long an answer takes does not tell whether there is an account.
    func openNothing() { _ = open(Self.nothing, extensionID: Self.nothingsID) }

    /// As long as what is sealed of a password: two hashes in hexadecimal and what stands between them.
    private static let nothing = [UInt8](repeating: 0, count: SealedBox.nonceLength + 32 + 1 + 64 + 16)
    private static let nothingsID = "ext_00000000000000000000000000"
}
