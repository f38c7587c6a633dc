public import Addresses
internal import Bytes

/// A `sip:` or `sips:` URI taken apart (RFC 3261 §19.1), or any other URI kept whole (`opaque`).
public struct URI: Hashable, Sendable {
    /// In lower case.
    public var scheme: String
    /// As written, escapes included; `decodedUser` resolves them.
    public var user: String?
    public var password: String?
    /// As written; an IPv6 reference keeps its brackets.
    public var host: String
    public var port: UInt16?
    public var parameters: Parameters
    /// What follows the question mark, as written.
    public var headers: String?
    /// Everything behind the colon when the scheme is not SIP's, for example `+15551234` of a `tel:` URI.
    public var opaque: String?

    public init(
        scheme: String = "sip", user: String? = nil, host: String, port: UInt16? = nil, parameters: Parameters = Parameters()
    ) {
        (self.scheme, self.user, password, self.host) = (scheme, user, nil, host)
        (self.port, self.parameters, headers, opaque) = (port, parameters, nil, nil)
    }

    /// The URI of an address, for a Contact, Path or Route of our own.
    public init(user: String? = nil, _ address: SocketAddress, parameters: Parameters = Parameters()) {
        let host = address.address.isIPv4 ? address.address.description : "[\(address.address)]"
        self.init(user: user, host: host, port: address.port, parameters: parameters)
    }

    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(parsing: bytes[...])
    }

    public init?(parsing bytes: ArraySlice<UInt8>) {
        guard Self.isWellFormed(bytes), let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > bytes.startIndex,
            ASCII.isLetter(bytes[bytes.startIndex]), bytes[..<colon].allSatisfy(Self.isSchemeByte)
        else { return nil }
        scheme = String(decoding: bytes[..<colon].map(ASCII.lowercased), as: UTF8.self)
        (user, password, host, port, headers, opaque) = (nil, nil, "", nil, nil, nil)
        parameters = Parameters()
        var rest = bytes[(colon + 1)...]
        guard !rest.isEmpty else { return nil }
        guard scheme == "sip" || scheme == "sips" else {
            opaque = String(decoding: rest, as: UTF8.self)
            return
        }
        if let at = rest.firstIndex(of: UInt8(ascii: "@")) {
            guard parseUserInfo(rest[..<at]) else { return nil }
            rest = rest[(at + 1)...]
            guard !rest.contains(UInt8(ascii: "@")) else { return nil }
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            headers = String(decoding: rest[(mark + 1)...], as: UTF8.self)
            rest = rest[..<mark]
        }
        if let semicolon = rest.firstIndex(of: UInt8(ascii: ";")) {
            guard let parsed = Parameters(parsingURI: rest[(semicolon + 1)...]) else { return nil }
            parameters = parsed
            rest = rest[..<semicolon]
        }
        guard let (host, port) = Self.parseHostPort(rest) else { return nil }
        (self.host, self.port) = (host, port)
    }

    private mutating func parseUserInfo(_ bytes: ArraySlice<UInt8>) -> Bool {
        let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        guard end > bytes.startIndex else { return false }
        user = String(decoding: bytes[..<end], as: UTF8.self)
        if end < bytes.endIndex { password = String(decoding: bytes[(end + 1)...], as: UTF8.self) }
        return true
    }

    /// `host [":" port]` of §25.1, shared with Via's sent-by.
    static func parseHostPort(_ bytes: ArraySlice<UInt8>) -> (host: String, port: UInt16?)? {
        var end = bytes.endIndex
        var port: UInt16?
        if bytes.first == UInt8(ascii: "[") {
            guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            end = bracket + 1
            guard IPAddress(parsing: Array(bytes[..<end])) != nil else { return nil }
        } else {
            end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? end
            guard end > bytes.startIndex, bytes[..<end].allSatisfy(isHostByte) else { return nil }
        }
        if end < bytes.endIndex {
            guard bytes[end] == UInt8(ascii: ":"), let number = ASCII.decimal(bytes[(end + 1)...]), number <= 65_535 else {
                return nil
            }
            port = UInt16(number)
        }
        return (String(decoding: bytes[..<end], as: UTF8.self), port)
    }

    /// No blank, control or non-ASCII byte, no delimiter of `<...>`, and every percent sign followed by two digits.
    private static func isWellFormed(_ bytes: ArraySlice<UInt8>) -> Bool {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            switch bytes[index] {
            case ...32, 127..., UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""): return false
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.endIndex, Hexadecimal.decode(bytes[index + 1...index + 2]) != nil else { return false }
                index += 3
            default: index += 1
            }
        }
        return true
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".")
    }

    static func isHostByte(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}

extension URI: CustomStringConvertible {
    public var description: String {
        if let opaque { return "\(scheme):\(opaque)" }
        var text = scheme + ":"
        if let user {
            text += user
            if let password { text += ":" + password }
            text += "@"
        }
        text += host
        if let port { text += ":\(port)" }
        text += parameters.description
        if let headers { text += "?" + headers }
        return text
    }
}

extension URI: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let uri = URI(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a URI")
        }
        self = uri
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
