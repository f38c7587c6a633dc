/// What a server asks for in WWW-Authenticate or Proxy-Authenticate (RFC 3261 §20.44, RFC 7616 §3.3).
public struct DigestChallenge: Sendable, Hashable {
    public var realm: String
    public var nonce: String
    public var hash: DigestHash
    public var opaque: String?
    /// The credentials were right but their nonce too old: the client answers again without asking its user.
    public var isStale: Bool
    public var offersQuality: Bool

    public init(
        realm: String, nonce: String, hash: DigestHash, opaque: String? = nil, isStale: Bool = false, offersQuality: Bool = true
    ) {
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
