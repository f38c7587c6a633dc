internal import Bytes

/// The value of `a=crypto` (RFC 4568 §9.1): a suite and the keys of whoever wrote it, under a tag that the answer repeats.
public struct CryptoAttribute: Hashable, Sendable {
    /// One `inline:` parameter (§6.1).
    public struct Key: Hashable, Sendable {
        public var master: MasterKey
        /// How many packets it may protect; nil is what the suite allows.
        public var lifetime: UInt64?
        /// Tells several keys apart in the packets, which then carry it.
        public var identifier: Identifier?

        public init(_ master: MasterKey, lifetime: UInt64? = nil, identifier: Identifier? = nil) {
            (self.master, self.lifetime, self.identifier) = (master, lifetime, identifier)
        }
    }

    /// The master key identifier: its value and its length in packets.
    public struct Identifier: Hashable, Sendable {
        public let value: UInt64
        public let length: Int

        /// Nil outside 1...128 bytes.
        public init?(value: UInt64, length: Int) {
            guard (1...128).contains(length) else { return nil }
            (self.value, self.length) = (value, length)
        }
    }

    public enum ParseError: Error, Hashable, Sendable {
        /// No crypto attribute, or a key of the wrong length.
        case malformed
        /// To be passed over: another line may do (§5.1.2).
        case unknownSuite
        /// To be passed over: a session parameter that is not understood, or asks for what is not done (§6.3).
        case unsupportedParameter
    }

    /// 1...999999999.
    public let tag: Int
    public let suite: Suite
    public let keys: [Key]

    /// An offer or answer of ours: fresh random bytes are the key. Nil when they are not as many as the suite wants.
    public init?(tag: Int, _ suite: Suite, random: [UInt8]) {
        guard let master = MasterKey(suite, keyAndSalt: random) else { return nil }
        self.init(tag: tag, keys: [Key(master)])
    }

    /// Nil for a tag out of bounds, no key, or keys of different suites.
    public init?(tag: Int, keys: [Key]) {
        guard Self.tags.contains(tag), let suite = keys.first?.master.suite, keys.allSatisfy({ $0.master.suite == suite }) else { return nil }
        (self.tag, self.suite, self.keys) = (tag, suite, keys)
    }

    static let tags = 1...999_999_999

    /// The key of a line that needs no identifier in its packets; nil for one with several, which we do not speak.
    public var key: MasterKey? {
        guard let first = keys.first, keys.count == 1, first.identifier == nil else { return nil }
        return first.master
    }
}

extension CryptoAttribute: CustomStringConvertible {
    /// The text behind `a=crypto:`, with the keys in it.
    public var description: String {
        let parameters = keys.map { key in
            var text = "inline:" + Base64.encode(key.master.keyAndSalt)
            if let lifetime = key.lifetime {
                text += lifetime.nonzeroBitCount == 1 ? "|2^\(lifetime.trailingZeroBitCount)" : "|\(lifetime)"
            }
            if let identifier = key.identifier { text += "|\(identifier.value):\(identifier.length)" }
            return text
        }
        return "\(tag) \(suite.rawValue) " + parameters.joined(separator: ";")
    }
}
