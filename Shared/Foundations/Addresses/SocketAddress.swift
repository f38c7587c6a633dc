internal import Bytes

/// Where a datagram comes from or goes to: an address and a port.
public struct SocketAddress: Hashable, Sendable {
    public var address: IPAddress
    public var port: UInt16

    public init(_ address: IPAddress, port: UInt16) { (self.address, self.port) = (address, port) }

    /// Parses `127.0.0.1:5060` or `[::1]:5060`; nil for anything else. Names are not resolved here.
    public init?(_ text: some StringProtocol) {
        let text = Array(text.utf8)
        guard let colon = text.lastIndex(of: UInt8(ascii: ":")), let port = ASCII.decimal(text[(colon + 1)...]),
            port <= UInt16.max, let address = IPAddress(parsing: Array(text[..<colon]))
        else { return nil }
        self.init(address, port: UInt16(port))
    }
}

extension SocketAddress: CustomStringConvertible {
    public var description: String { String(decoding: [UInt8](capacity: 47) { write(into: &$0) }, as: UTF8.self) }
}

extension SocketAddress {
    /// Writes the text of `description`: at most 47 bytes.
    public func write(into output: inout OutputSpan<UInt8>) {
        if !address.isIPv4 { output.append(UInt8(ascii: "[")) }
        address.write(into: &output)
        if !address.isIPv4 { output.append(UInt8(ascii: "]")) }
        output.append(UInt8(ascii: ":"))
        output.write(decimal: UInt64(port))
    }
}

extension SocketAddress: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let parsed = SocketAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not ADDRESS:PORT")
        }
        self = parsed
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
