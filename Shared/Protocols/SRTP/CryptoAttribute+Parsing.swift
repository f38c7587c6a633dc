internal import Bytes

extension CryptoAttribute {
    /// More keys in a line, or more of its parameters, are no offer but an attack.
    private static let partLimit = 16

    /// Reads the text behind `a=crypto:`.
    public init(parsing text: String) throws(ParseError) {
        let parts = text.utf8.split(maxSplits: Self.partLimit, omittingEmptySubsequences: true) { ASCII.isWhitespace($0) }
        guard (3...Self.partLimit).contains(parts.count), parts[0].count <= 9, parts[0].first != UInt8(ascii: "0"),
            let number = ASCII.decimal(parts[0]), Self.tags.contains(Int(clamping: number))
        else { throw .malformed }
        let name = String(decoding: parts[1], as: UTF8.self).uppercased()
        guard let suite = Suite(rawValue: name) else { throw .unknownSuite }
        for parameter in parts[3...] where !Self.isHarmless(parameter) { throw .unsupportedParameter }
        var keys: [Key] = []
        for parameter in parts[2].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
            keys.append(try Self.key(parameter, suite))
        }
        guard keys.count <= Self.partLimit, let line = CryptoAttribute(tag: Int(clamping: number), keys: keys) else { throw .malformed }
        self = line
    }

    /// A window size is a hint, and what begins with a hyphen may be ignored (§6.3.6, §6.3.7).
    private static func isHarmless(_ parameter: Substring.UTF8View) -> Bool {
        parameter.starts(with: "WSH=".utf8) || parameter.first == UInt8(ascii: "-")
    }

    private static func key(_ parameter: Substring.UTF8View, _ suite: Suite) throws(ParseError) -> Key {
        guard parameter.prefix(7).map(ASCII.lowercased).elementsEqual("inline:".utf8) else { throw .malformed }
        let parts = parameter.dropFirst(7).split(separator: UInt8(ascii: "|"), maxSplits: 3, omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 3, let bytes = Base64.decode(first),
            let master = MasterKey(suite, keyAndSalt: bytes)
        else { throw .malformed }
        var key = Key(master)
        // The lifetime may be left out with an identifier after it.
        for (index, part) in parts.dropFirst().enumerated() {
            if part.contains(UInt8(ascii: ":")) {
                guard index == parts.count - 2 else { throw .malformed }
                key.identifier = try identifier(part)
            } else {
                guard index == 0 else { throw .malformed }
                key.lifetime = try lifetime(part)
            }
        }
        return key
    }

    /// `2^20` or a number; never zero.
    private static func lifetime(_ text: Substring.UTF8View) throws(ParseError) -> UInt64 {
        if text.starts(with: "2^".utf8) {
            guard let exponent = ASCII.decimal(text.dropFirst(2)), exponent < 64 else { throw .malformed }
            return 1 << exponent
        }
        guard let number = ASCII.decimal(text), number > 0 else { throw .malformed }
        return number
    }

    /// `value:length`.
    private static func identifier(_ text: Substring.UTF8View) throws(ParseError) -> Identifier {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let value = ASCII.decimal(parts[0]), let length = ASCII.decimal(parts[1]),
            let identifier = Identifier(value: value, length: Int(clamping: length))
        else { throw .malformed }
        return identifier
    }
}
