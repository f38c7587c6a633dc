public import SRTP

/// What a handshake is for: the protection both sides agreed on, and a key for each direction (RFC 5764 §4.2).
public struct Keying: Hashable, Sendable {
    public let suite: Suite
    /// What we send is protected with this.
    public let sending: MasterKey
    public let receiving: MasterKey

    static let label = "EXTRACTOR-dtls_srtp"

    /// The exported bytes are both keys and then both salts, those of the client (the active side) first. Nil for a wrong length.
    init?(_ suite: Suite, exported: [UInt8], isClient: Bool) {
        guard exported.count == Self.length(suite) else { return nil }
        let (key, salt) = (suite.keyLength, suite.saltLength)
        let (keys, salts) = (exported[..<(2 * key)], exported[(2 * key)...])
        guard let client = MasterKey(suite, key: Array(keys.prefix(key)), salt: Array(salts.prefix(salt))),
            let server = MasterKey(suite, key: Array(keys.suffix(key)), salt: Array(salts.suffix(salt)))
        else { return nil }
        self.suite = suite
        (sending, receiving) = isClient ? (client, server) : (server, client)
    }

    static func length(_ suite: Suite) -> Int { 2 * (suite.keyLength + suite.saltLength) }
}
