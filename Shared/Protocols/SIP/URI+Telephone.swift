internal import Bytes

extension URI {
    /// The number of a `tel:` URI without parameters and visual separators (RFC 3966 §3, §5.1.1): `+15551234` of `tel:+1-555-1234;ext=7`;
    /// nil for other schemes and for what is no number.
    public var telephoneNumber: String? {
        guard scheme == "tel", let opaque else { return nil }
        let digits = opaque.utf8.prefix { $0 != UInt8(ascii: ";") }.filter { !Self.visualSeparators.contains($0) }
        let rest = digits.first == UInt8(ascii: "+") ? digits.dropFirst() : digits[...]
        guard !rest.isEmpty, rest.allSatisfy(Self.isPhoneDigit) else { return nil }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Whom a SIP or `tel:` URI calls: the user part with its escapes resolved (RFC 3261 §19.1.4 has it equal to what it stands for), or the telephone
    /// number. Nil for other URIs, and for control characters, which are part of nobody's number.
    public var calledUser: String? {
        guard let user = telephoneNumber ?? decodedUser, !user.isEmpty, !user.utf8.contains(where: { $0 < 32 || $0 == 127 }) else { return nil }
        return user
    }

    /// The SIP URI of whoever has that number or name, whatever it is made of.
    public init(calling user: String, at host: String) { self.init(user: Self.escapedUser(user), host: host) }

    private static let visualSeparators = Array("-.()".utf8)

    /// `phonedigit-hex` without its separators: local numbers have the keys and letters as well.
    private static func isPhoneDigit(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 32) &- 97 < 6 || byte == UInt8(ascii: "*") || byte == UInt8(ascii: "#")
    }
}
