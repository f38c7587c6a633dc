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
        self.init(parsing: Array(text.utf8)[...])
    }

    /// Nil when `bytes` are anything but one URI.
    public init?(parsing bytes: ArraySlice<UInt8>) {
        let bytes = Array(bytes)
        guard let layout = Layout(bytes.span, 0..<bytes.count) else { return nil }
        self.init(layout, in: bytes.span)
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
