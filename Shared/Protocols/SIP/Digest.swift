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
    func hexadecimal(_ text: String) -> String { hexadecimal(Array(text.utf8)) }

    func hexadecimal(_ bytes: [UInt8]) -> String { Hexadecimal.encode(algorithm.hash(bytes)) }

    private var algorithm: DigestAlgorithm {
        switch self {
        case .md5: .md5
        case .sha256: .sha256
        case .sha512_256: .sha512_256
        }
    }
}

/// What a response protects beside method and URI (RFC 7616 §3.3 `qop`).
public enum DigestQuality: String, Sendable, Hashable, CaseIterable {
    case authentication = "auth"
    /// The body too.
    case integrity = "auth-int"
}

/// The computations of RFC 7616 §3.4 that both sides make.
public enum Digest {
    /// `H(A1)` in hexadecimal: all a server has to keep of a password.
    public static func ha1(user: String, realm: String, password: String, _ hash: DigestHash) -> String {
        hash.hexadecimal("\(user):\(realm):\(password)")
    }

    /// The username that hides whose it is (§3.4.4).
    public static func userHash(user: String, realm: String, _ hash: DigestHash) -> String { hash.hexadecimal("\(user):\(realm)") }

    /// Without qop as RFC 2617 §3.2.2.1 lets old clients do.
    static func response(
        ha1: String, method: String, uri: String, nonce: String, quality: DigestCredentials.Quality?, body: [UInt8], _ hash: DigestHash
    ) -> String {
        guard let quality else {
            let ha2 = hash.hexadecimal("\(method):\(uri)")
            return hash.hexadecimal("\(ha1):\(nonce):\(ha2)")
        }
        let a2 = quality.protection == .integrity ? "\(method):\(uri):\(hash.hexadecimal(body))" : "\(method):\(uri)"
        let parts = [ha1, nonce, quality.count, quality.clientNonce, quality.protection.rawValue, hash.hexadecimal(a2)]
        return hash.hexadecimal(parts.joined(separator: ":"))
    }
}
