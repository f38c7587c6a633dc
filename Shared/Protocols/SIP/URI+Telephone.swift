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

    private static let visualSeparators = Array("-.()".utf8)

    /// `phonedigit-hex` without its separators: local numbers have the keys and letters as well.
    private static func isPhoneDigit(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 32) &- 97 < 6 || byte == UInt8(ascii: "*") || byte == UInt8(ascii: "#")
    }
}
