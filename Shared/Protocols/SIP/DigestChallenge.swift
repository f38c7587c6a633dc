/// What a server asks for in WWW-Authenticate or Proxy-Authenticate (RFC 3261 §20.44, RFC 7616 §3.3).
public struct DigestChallenge: Sendable, Hashable {
    public var realm: String
    public var nonce: String
    public var hash: DigestHash
    public var opaque: String?
    /// The credentials were right but their nonce too old: the client answers again without asking its user.
    public var isStale: Bool
    /// Empty: of the time before qop (RFC 2069).
    public var qualities: [DigestQuality]
    /// Whether the username may be hidden (RFC 7616 §3.4.4).
    public var takesUserHash: Bool

    public init(
        realm: String, nonce: String, hash: DigestHash, opaque: String? = nil, isStale: Bool = false,
        qualities: [DigestQuality] = [.authentication], takesUserHash: Bool = false
    ) {
        (self.realm, self.nonce, self.hash) = (realm, nonce, hash)
        (self.opaque, self.isStale, self.qualities, self.takesUserHash) = (opaque, isStale, qualities, takesUserHash)
    }

    /// Nil for another scheme, an unknown algorithm, when realm or nonce is missing, and when no quality is offered that we know.
    public init?(_ value: String) {
        guard let fields = AuthenticationFields(value), let realm = fields["realm"], let nonce = fields["nonce"],
            let hash = DigestHash(token: fields["algorithm"] ?? "MD5")
        else { return nil }
        let words = fields["qop"].map { $0.split { $0 == "," || $0 == " " }.map { $0.lowercased() } }
        let qualities = DigestQuality.allCases.filter { words?.contains($0.rawValue) == true }
        guard words == nil || !qualities.isEmpty else { return nil }
        self.init(
            realm: realm, nonce: nonce, hash: hash, opaque: fields["opaque"], isStale: fields["stale"]?.lowercased() == "true",
            qualities: qualities, takesUserHash: fields["userhash"]?.lowercased() == "true")
    }

    public var headerValue: String {
        var text = "Digest realm=\(quoted(realm)), nonce=\(quoted(nonce)), algorithm=\(hash.rawValue)"
        if let opaque { text += ", opaque=\(quoted(opaque))" }
        if !qualities.isEmpty { text += ", qop=\"\(qualities.map(\.rawValue).joined(separator: ","))\"" }
        if isStale { text += ", stale=true" }
        if takesUserHash { text += ", userhash=true" }
        return text
    }

    /// What a client chooses to do when it answers; what the server does not offer it leaves.
    public struct Choice: Sendable, Hashable {
        /// Protects this body too, even though protecting less would do.
        public var protectsBody = false
        public var hidesUser = false

        public init() {}
    }

    /// The credentials a client sends in answer; `clientNonce` is fresh randomness, `count` how often this nonce was used.
    public func answer(
        user: String, password: String, method: Method, uri: String, body: [UInt8] = [], clientNonce: String, count: UInt32 = 1,
        choice: Choice = Choice()
    ) -> DigestCredentials {
        let digits = String(count, radix: 16)
        let padded = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        let ha1 = Digest.ha1(user: user, realm: realm, password: password, hash)
        let wanted = choice.protectsBody ? DigestQuality.integrity : .authentication
        let protection = qualities.contains(wanted) ? wanted : qualities.first
        let quality = protection.map { DigestCredentials.Quality(protection: $0, count: padded, clientNonce: clientNonce) }
        let response = Digest.response(
            ha1: ha1, method: method.name, uri: uri, nonce: nonce, quality: quality, body: body, hash)
        let isHidden = takesUserHash && choice.hidesUser
        return DigestCredentials(
            user: isHidden ? Digest.userHash(user: user, realm: realm, hash) : user, isUserHashed: isHidden, realm: realm,
            nonce: nonce, uri: uri, response: response, hash: hash, opaque: opaque, quality: quality)
    }
}
