internal import Bytes
internal import Cryptography

/// The hash functions of digest authentication (RFC 7616 §3.3, RFC 8760 §2.1).
public enum DigestHash: String, Sendable, Hashable, Codable, CaseIterable {
    case md5 = "MD5"
    case sha256 = "SHA-256"
    case sha512_256 = "SHA-512-256"

    public init?(token: some StringProtocol) {
        guard let match = Self.allCases.first(where: { ASCII.equalsIgnoringCase($0.rawValue, token) }) else { return nil }
        self = match
    }

    /// The hash of a text, as lower-case hexadecimal: `H(data)` of RFC 7616 §3.4.
    func hexadecimal(_ text: String) -> String {
        switch self {
        case .md5: Hexadecimal.encode(DigestAlgorithm.md5.hash(text))
        case .sha256: Hexadecimal.encode(DigestAlgorithm.sha256.hash(text))
        case .sha512_256: Hexadecimal.encode(DigestAlgorithm.sha512_256.hash(text))
        }
    }
}

/// The computations of RFC 7616 §3.4 that both sides make.
public enum Digest {
    /// `H(A1)` in hexadecimal: all a server has to keep of a password.
    public static func ha1(user: String, realm: String, password: String, _ hash: DigestHash) -> String {
        hash.hexadecimal("\(user):\(realm):\(password)")
    }

    /// With `qop=auth`, or without qop as RFC 2617 §3.2.2.1 lets old clients do.
    static func response(
        ha1: String, method: String, uri: String, nonce: String, quality: (count: String, clientNonce: String)?,
        _ hash: DigestHash
    ) -> String {
        let ha2 = hash.hexadecimal("\(method):\(uri)")
        guard let quality else { return hash.hexadecimal("\(ha1):\(nonce):\(ha2)") }
        return hash.hexadecimal("\(ha1):\(nonce):\(quality.count):\(quality.clientNonce):auth:\(ha2)")
    }
}
