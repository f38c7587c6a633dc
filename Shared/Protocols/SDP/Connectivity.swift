internal import Bytes

/// What one side says of itself for ICE (RFC 8839 §5): its credentials and candidates.
public struct Connectivity: Hashable, Sendable, Codable {
    public var fragment: String
    public var password: String
    /// It answers checks and makes none (§5.3).
    public var isLite: Bool
    /// `a=ice-options`: `trickle`, `ice2`, ...
    public var options: [String]
    /// The values of `a=candidate`, as text.
    public var candidates: [String]
    /// No further candidates will come (RFC 8838 §8.2).
    public var isComplete: Bool

    public init(
        fragment: String, password: String, isLite: Bool = false, options: [String] = [], candidates: [String] = [], isComplete: Bool = true
    ) {
        (self.fragment, self.password, self.isLite) = (fragment, password, isLite)
        (self.options, self.candidates, self.isComplete) = (options, candidates, isComplete)
    }

    public var trickles: Bool { options.contains("trickle") }

    /// RFC 8839 §5.4: `ice-char` only, 4 to 256 and 22 to 256 of them.
    public static func areCredentials(_ fragment: String, _ password: String) -> Bool {
        (4...256).contains(fragment.utf8.count) && (22...256).contains(password.utf8.count)
            && (fragment.utf8.allSatisfy(isICECharacter) && password.utf8.allSatisfy(isICECharacter))
    }

    private static func isICECharacter(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
    }

    /// The lines of a media description; `ice-lite` belongs to the session.
    public var attributes: [Attribute] {
        var lines = [Attribute("ice-ufrag", fragment), Attribute("ice-pwd", password)]
        if !options.isEmpty { lines.append(Attribute("ice-options", options.joined(separator: " "))) }
        lines += candidates.map { Attribute("candidate", $0) }
        if isComplete, !candidates.isEmpty { lines.append(Attribute("end-of-candidates")) }
        return lines
    }
}
