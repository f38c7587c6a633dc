/// Where the keys of a stream come from: nowhere, the description itself (RFC 4568), or a handshake on its path (RFC 5763).
public enum SecurityKind: String, Hashable, Sendable, Codable, CaseIterable {
    case none, sdes, dtls
}

/// What our side can protect a stream with.
public struct LocalSecurity: Hashable, Sendable, Codable {
    /// Which kinds are taken, in order of preference; an offer of ours asks for the first.
    public var kinds: [SecurityKind]
    /// Values of `a=crypto`: all that an offer proposes; for an answer those that repeat the tag and suite of an offered one.
    public var crypto: [String]
    /// Of our certificate.
    public var fingerprints: [Fingerprint]
    /// Names the association where the other side speaks RFC 8842; a new one, whenever it changes.
    public var tlsID: String?
    /// An offer asks for early feedback (RFC 4585).
    public var hasFeedback: Bool
    /// Keys offered under a plain profile are taken, too (RFC 8643).
    public var isOpportunistic: Bool

    public init(
        kinds: [SecurityKind], crypto: [String] = [], fingerprints: [Fingerprint] = [], tlsID: String? = nil,
        hasFeedback: Bool = false, isOpportunistic: Bool = false
    ) {
        (self.kinds, self.crypto, self.fingerprints, self.tlsID) = (kinds, crypto, fingerprints, tlsID)
        (self.hasFeedback, self.isOpportunistic) = (hasFeedback, isOpportunistic)
    }
}

/// What offer and answer settled about the protection of a stream.
public enum AgreedSecurity: Hashable, Sendable, Codable {
    case none
    /// The values of the two `a=crypto` lines: ours protects what we send, theirs what they send (RFC 4568 §5.1).
    case sdes(local: String, remote: String)
    case dtls(DTLSTerms)

    public var kind: SecurityKind {
        switch self {
        case .none: .none
        case .sdes: .sdes
        case .dtls: .dtls
        }
    }
}

/// Who begins the handshake, and whose certificate must come (RFC 5763 §5, RFC 8842 §5).
public struct DTLSTerms: Hashable, Sendable, Codable {
    /// We send the ClientHello.
    public var isClient: Bool
    /// Their certificate has one of these, or no keys are taken from it (RFC 8122 §5).
    public var fingerprints: [Fingerprint]
    /// Theirs; another one wants another handshake.
    public var tlsID: String?

    public init(isClient: Bool, fingerprints: [Fingerprint], tlsID: String? = nil) {
        (self.isClient, self.fingerprints, self.tlsID) = (isClient, fingerprints, tlsID)
    }
}
