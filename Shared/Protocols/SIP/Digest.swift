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
        ha1: String, method: String, uri: String, nonce: String, quality: (count: String, clientNonce: String)?, _ hash: DigestHash
    ) -> String {
        let ha2 = hash.hexadecimal("\(method):\(uri)")
        guard let quality else { return hash.hexadecimal("\(ha1):\(nonce):\(ha2)") }
        return hash.hexadecimal("\(ha1):\(nonce):\(quality.count):\(quality.clientNonce):auth:\(ha2)")
    }
}

/// What a server asks for in WWW-Authenticate or Proxy-Authenticate (RFC 3261 §20.44, RFC 7616 §3.3).
public struct DigestChallenge: Sendable, Hashable {
    public var realm: String
    public var nonce: String
    public var hash: DigestHash
    public var opaque: String?
    /// The credentials were right but their nonce too old: the client answers again without asking its user.
    public var isStale: Bool
    public var offersQuality: Bool

    public init(realm: String, nonce: String, hash: DigestHash, opaque: String? = nil, isStale: Bool = false, offersQuality: Bool = true) {
        (self.realm, self.nonce, self.hash) = (realm, nonce, hash)
        (self.opaque, self.isStale, self.offersQuality) = (opaque, isStale, offersQuality)
    }

    /// Nil for another scheme, an unknown algorithm, or when realm or nonce is missing.
    public init?(_ value: String) {
        guard let fields = AuthenticationFields(value), let realm = fields["realm"], let nonce = fields["nonce"],
            let hash = DigestHash(token: fields["algorithm"] ?? "MD5")
        else { return nil }
        let offers = fields["qop"].map { $0.split { $0 == "," || $0 == " " }.contains("auth") }
        // A server that offers auth-int only cannot be answered.
        if offers == false { return nil }
        self.init(
            realm: realm, nonce: nonce, hash: hash, opaque: fields["opaque"], isStale: fields["stale"]?.lowercased() == "true",
            offersQuality: offers ?? false)
    }

    public var headerValue: String {
        var text = "Digest realm=\(quoted(realm)), nonce=\(quoted(nonce)), algorithm=\(hash.rawValue)"
        if let opaque { text += ", opaque=\(quoted(opaque))" }
        if offersQuality { text += ", qop=\"auth\"" }
        if isStale { text += ", stale=true" }
        return text
    }

    /// The credentials a client sends in answer; `clientNonce` is fresh randomness, `count` how often this nonce was used.
    public func answer(
        user: String, password: String, method: Method, uri: String, clientNonce: String, count: UInt32 = 1
    ) -> DigestCredentials {
        let digits = String(count, radix: 16)
        let padded = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        let ha1 = Digest.ha1(user: user, realm: realm, password: password, hash)
        let quality = offersQuality ? (count: padded, clientNonce: clientNonce) : nil
        let response = Digest.response(ha1: ha1, method: method.name, uri: uri, nonce: nonce, quality: quality, hash)
        return DigestCredentials(
            user: user, realm: realm, nonce: nonce, uri: uri, response: response, hash: hash, opaque: opaque,
            quality: quality.map { .init(count: $0.count, clientNonce: $0.clientNonce) })
    }
}

/// What a client sends in Authorization or Proxy-Authorization (RFC 3261 §20.7, RFC 7616 §3.4).
public struct DigestCredentials: Sendable, Hashable {
    public struct Quality: Sendable, Hashable {
        let count: String
        let clientNonce: String
    }

    public let user: String
    public let realm: String
    public let nonce: String
    public let uri: String
    public let response: String
    public let hash: DigestHash
    public let opaque: String?
    /// Nil when the client ignored qop, as RFC 2617 allowed.
    public let quality: Quality?

    init(
        user: String, realm: String, nonce: String, uri: String, response: String, hash: DigestHash, opaque: String?,
        quality: Quality?
    ) {
        (self.user, self.realm, self.nonce, self.uri) = (user, realm, nonce, uri)
        (self.response, self.hash, self.opaque, self.quality) = (response, hash, opaque, quality)
    }

    /// Nil for another scheme, an unknown algorithm or qop, or when something required is missing.
    public init?(_ value: String) {
        guard let fields = AuthenticationFields(value), let user = fields["username"], let realm = fields["realm"],
            let nonce = fields["nonce"], let uri = fields["uri"], let response = fields["response"],
            let hash = DigestHash(token: fields["algorithm"] ?? "MD5")
        else { return nil }
        var quality: Quality?
        if let qop = fields["qop"] {
            guard ASCII.equalsIgnoringCase(qop, "auth"), let count = fields["nc"], let clientNonce = fields["cnonce"] else { return nil }
            quality = Quality(count: count, clientNonce: clientNonce)
        }
        self.init(
            user: user, realm: realm, nonce: nonce, uri: uri, response: response, hash: hash, opaque: fields["opaque"],
            quality: quality)
    }

    public var headerValue: String {
        var text = "Digest username=\(quoted(user)), realm=\(quoted(realm)), nonce=\(quoted(nonce)), uri=\(quoted(uri))"
        text += ", response=\"\(response)\", algorithm=\(hash.rawValue)"
        if let quality { text += ", qop=auth, nc=\(quality.count), cnonce=\(quoted(quality.clientNonce))" }
        if let opaque { text += ", opaque=\(quoted(opaque))" }
        return text
    }

    /// Whether whoever made this knows the password behind `ha1` (hexadecimal, of the same hash). Takes the same time either way.
    public func isAuthentic(ha1: String, method: Method) -> Bool {
        let expected = Digest.response(
            ha1: ha1, method: method.name, uri: uri, nonce: nonce,
            quality: quality.map { (count: $0.count, clientNonce: $0.clientNonce) }, hash)
        return equalInConstantTime(Array(expected.utf8), Array(response.lowercased().utf8))
    }
}

/// `Digest name=value, name="value", ...` taken apart.
private struct AuthenticationFields {
    private var values: [String: String] = [:]

    init?(_ text: String) {
        var scanner = Scanner(text)
        scanner.skipBlanks()
        guard scanner.skip("Digest"), let blank = scanner.next, Scanner.isBlank(blank) else { return nil }
        scanner.skipBlanks()
        repeat {
            guard let nameRange = scanner.token(), scanner.skip(UInt8(ascii: "=")) else { return nil }
            let name = scanner.text(nameRange).lowercased()
            guard values[name] == nil, values.count < 32 else { return nil }
            if scanner.next == UInt8(ascii: "\"") {
                guard let value = scanner.quotedString() else { return nil }
                values[name] = value
            } else {
                let range = scanner.run { $0 == UInt8(ascii: ",") || Scanner.isBlank($0) }
                guard !range.isEmpty else { return nil }
                values[name] = scanner.text(range)
            }
        } while scanner.skip(UInt8(ascii: ","))
        guard scanner.isAtEnd else { return nil }
    }

    subscript(name: String) -> String? { values[name] }
}
