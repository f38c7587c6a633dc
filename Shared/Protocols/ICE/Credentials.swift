internal import Bytes

/// The username fragment and password one side gives to its checks (RFC 8445 §5.3).
public struct Credentials: Hashable, Sendable, Codable {
    public let fragment: String
    public let password: String

    /// Nil when they are not what RFC 8839 §5.4 allows: 4 to 256 and 22 to 256 letters, digits, `+` and `/`.
    public init?(fragment: String, password: String) {
        guard (4...256).contains(fragment.utf8.count), (22...256).contains(password.utf8.count),
            fragment.utf8.allSatisfy(Self.isICECharacter), password.utf8.allSatisfy(Self.isICECharacter)
        else { return nil }
        (self.fragment, self.password) = (fragment, password)
    }

    /// New ones: 48 bits of fragment, 144 of password, all of them from `random`.
    public init(random: (UInt64, UInt64, UInt64)) {
        let octets = [random.0, random.1, random.2].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
        let text = Base64.encode(octets)
        (fragment, password) = (String(text.prefix(8)), String(text.dropFirst(8)))
    }

    static func isICECharacter(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
    }
}
