/// A master key and its salt (RFC 3711 §3.2.1), of the lengths its suite wants.
public struct MasterKey: Hashable, Sendable {
    public let suite: Suite
    public let key: [UInt8]
    public let salt: [UInt8]

    /// Nil when a length is wrong.
    public init?(_ suite: Suite, key: [UInt8], salt: [UInt8]) {
        guard key.count == suite.keyLength, salt.count == suite.saltLength else { return nil }
        (self.suite, self.key, self.salt) = (suite, key, salt)
    }

    /// Key and salt behind each other, as SDP carries them (RFC 4568 §6.1). Nil when the length is wrong.
    public init?(_ suite: Suite, keyAndSalt bytes: [UInt8]) {
        self.init(suite, key: Array(bytes.prefix(suite.keyLength)), salt: Array(bytes.dropFirst(suite.keyLength)))
    }

    public var keyAndSalt: [UInt8] { key + salt }
}

extension MasterKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the key: it must not get into a log.
    public var description: String { "a key for \(suite.rawValue)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
