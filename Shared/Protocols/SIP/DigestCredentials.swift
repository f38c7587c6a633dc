internal import Bytes
internal import Cryptography

/// What a client sends in Authorization or Proxy-Authorization (RFC 3261 §20.7, RFC 7616 §3.4).
public struct DigestCredentials: Sendable, Hashable {
    public struct Quality: Sendable, Hashable {
        public let protection: DigestQuality
        let count: String
        let clientNonce: String
    }

    /// As it was sent: hashed when `isUserHashed`.
    public let user: String
    public let isUserHashed: Bool
    public let realm: String
    public let nonce: String
    public let uri: String
    public let response: String
    public let hash: DigestHash
    public let opaque: String?
    /// Nil when the client ignored qop, as RFC 2617 allowed.
    public let quality: Quality?

    /// How often the client says it has used the nonce (RFC 7616 §3.4); zero when that cannot be read. Without qop nothing counts,
    /// so such a client has each nonce once.
    public var nonceCount: UInt32 {
        guard let quality else { return 1 }
        return quality.count.utf8.count <= 8 ? UInt32(quality.count, radix: 16) ?? 0 : 0
    }

    init(
        user: String, isUserHashed: Bool, realm: String, nonce: String, uri: String, response: String, hash: DigestHash,
        opaque: String?, quality: Quality?
    ) {
        (self.user, self.isUserHashed, self.realm, self.nonce, self.uri) = (user, isUserHashed, realm, nonce, uri)
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
            guard let protection = DigestQuality.allCases.first(where: { ASCII.equalsIgnoringCase(qop, $0.rawValue) }),
                let count = fields["nc"], let clientNonce = fields["cnonce"]
            else { return nil }
            quality = Quality(protection: protection, count: count, clientNonce: clientNonce)
        }
        self.init(
            user: user, isUserHashed: fields["userhash"]?.lowercased() == "true", realm: realm, nonce: nonce, uri: uri,
            response: response, hash: hash, opaque: fields["opaque"], quality: quality)
    }

    public var headerValue: String {
        var text = "Digest username=\(quoted(user)), realm=\(quoted(realm)), nonce=\(quoted(nonce)), uri=\(quoted(uri))"
        text += ", response=\"\(response)\", algorithm=\(hash.rawValue)"
        if let quality {
            text += ", qop=\(quality.protection.rawValue), nc=\(quality.count), cnonce=\(quoted(quality.clientNonce))"
        }
        if let opaque { text += ", opaque=\(quoted(opaque))" }
        if isUserHashed { text += ", userhash=true" }
        return text
    }

    public var protectsBody: Bool { quality?.protection == .integrity }

    /// Whether these name that user, in clear or hashed.
    public func names(_ user: String) -> Bool {
        guard isUserHashed else { return self.user == user }
        return ASCII.equalsIgnoringCase(self.user, Digest.userHash(user: user, realm: realm, hash))
    }

    /// Whether whoever made this knows the password behind `ha1` (hexadecimal, of the same hash). Takes the same time either way.
    public func isAuthentic(ha1: String, method: Method, body: [UInt8] = []) -> Bool {
        let expected = Digest.response(
            ha1: ha1, method: method.name, uri: uri, nonce: nonce, quality: quality, body: body, hash)
        return equalInConstantTime(Array(expected.utf8), Array(response.lowercased().utf8))
    }
}
