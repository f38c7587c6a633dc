internal import Bytes

/// The parts of `scheme://user:password@host:port/path` as the URLs of servers need them (RFC 3986, no query or fragment).
public struct ServerURL: Sendable, Equatable {
    public var scheme: String
    public var user: String
    public var password: String
    public var host: String
    public var port: Int
    /// Without the leading slash, percent-decoded.
    public var path: String

    /// Nil when the text is no such URL.
    public init?(_ text: String, defaultPort: Int) {
        guard let separator = text.firstRange(of: "://") else { return nil }
        scheme = String(text[..<separator.lowerBound])
        var rest = text[separator.upperBound...]
        if let slash = rest.firstIndex(of: "/") {
            guard let decoded = Self.percentDecoded(rest[rest.index(after: slash)...]) else { return nil }
            path = decoded
            rest = rest[..<slash]
        } else {
            path = ""
        }
        (user, password) = ("", "")
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.percentDecoded(parts[0]) else { return nil }
            user = name
            if parts.count > 1 {
                guard let secret = Self.percentDecoded(parts[1]) else { return nil }
                password = secret
            }
            rest = rest[rest.index(after: at)...]
        }
        port = defaultPort
        if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
            guard let number = ASCII.decimal(rest[rest.index(after: colon)...].utf8), (1...65_535).contains(number) else { return nil }
            port = Int(number)
            rest = rest[..<colon]
        }
        guard !rest.isEmpty else { return nil }
        host = rest.first == "[" ? String(rest.dropFirst().dropLast()) : String(rest)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var input = Array(text.utf8)[...]
        while let byte = input.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let value = Hexadecimal.decode(input.prefix(2)), value.count == 1 else { return nil }
                bytes.append(value[0])
                input = input.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
