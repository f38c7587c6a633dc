public import Addresses
internal import Bytes

/// An `m=` line and all that belongs to it (RFC 8866 §5.14).
public struct MediaDescription: Hashable, Sendable {
    /// `audio`, `video`, `image`, ...
    public var kind: String
    /// Zero: the stream is refused or gone (RFC 3264 §6, §8.2).
    public var port: UInt16
    /// Written as `port/count` when not one.
    public var portCount: Int
    public var transport: String
    public var formats: [String]
    public var connection: Connection?
    public var attributes: [Attribute]
    public var otherLines: [Line]

    public init(
        kind: String = "audio", port: UInt16, portCount: Int = 1, transport: String = "RTP/AVP", formats: [String],
        connection: Connection? = nil, attributes: [Attribute] = [], otherLines: [Line] = []
    ) {
        (self.kind, self.port, self.portCount, self.transport) = (kind, port, portCount, transport)
        (self.formats, self.connection, self.attributes, self.otherLines) = (formats, connection, attributes, otherLines)
    }

    init?(parsing value: String) {
        let fields = value.split(separator: " ")
        guard fields.count >= 4, fields.count <= 3 + Limits.formats else { return nil }
        let ports = fields[1].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let port = ASCII.decimal(ports[0].utf8), port <= UInt16.max else { return nil }
        let count = ports.count == 2 ? ASCII.decimal(ports[1].utf8) : 1
        guard let count, (1...1024).contains(count) else { return nil }
        self.init(
            kind: String(fields[0]), port: UInt16(port), portCount: Int(count), transport: String(fields[2]),
            formats: fields[3...].map(String.init))
    }

    /// The RTP formats in order of preference; numbers nobody explains are left out.
    public var payloadFormats: [Format] {
        let (encodings, parameters) = (valuesByPayloadType("rtpmap"), valuesByPayloadType("fmtp"))
        return formats.compactMap { text in
            guard let number = ASCII.decimal(text.utf8), number <= 127 else { return nil }
            let payloadType = UInt8(number)
            let parameters = parameters[payloadType]
            if let encoding = encodings[payloadType] {
                return Codec(encoding: encoding, parameters: parameters).map { Format(payloadType: payloadType, codec: $0) }
            }
            guard var codec = Codec.ofStaticPayloadType(payloadType) else { return nil }
            codec.parameters = parameters
            return Format(payloadType: payloadType, codec: codec)
        }
    }

    /// The rest of the first `a=rtpmap:96 ...` and its like for each payload type.
    private func valuesByPayloadType(_ name: String) -> [UInt8: String] {
        var values: [UInt8: String] = [:]
        for attribute in attributes where attribute.name == name {
            guard let parts = attribute.value?.split(separator: " ", maxSplits: 1), parts.count == 2,
                let number = ASCII.decimal(parts[0].utf8), let payloadType = UInt8(exactly: number), values[payloadType] == nil
            else { continue }
            values[payloadType] = String(parts[1])
        }
        return values
    }

    /// The stream's own direction line; nil when the session level decides (RFC 8866 §6.7).
    public var direction: Direction? {
        attributes.lazy.compactMap { $0.value == nil ? Direction(rawValue: $0.name) : nil }.first
    }

    /// Milliseconds of sound the owner wants in a packet (RFC 8866 §6.4).
    public var packetTime: Int? { milliseconds("ptime") }
    public var maximumPacketTime: Int? { milliseconds("maxptime") }

    private func milliseconds(_ name: String) -> Int? {
        guard let value = attributes.first(named: name), let number = ASCII.decimal(value.utf8), (1...1000).contains(number)
        else { return nil }
        return Int(number)
    }

    /// RTP and RTCP on one port (RFC 5761 §5.1.1).
    public var multiplexesRTCP: Bool { attributes.contains(named: "rtcp-mux") }

    /// The port and, when given, the address of `a=rtcp` (RFC 3605 §2.1).
    public var rtcp: (port: UInt16, address: IPAddress?)? {
        guard let value = attributes.first(named: "rtcp") else { return nil }
        let fields = value.split(separator: " ")
        guard let first = fields.first, let port = ASCII.decimal(first.utf8), port <= UInt16.max else { return nil }
        return (UInt16(port), fields.count == 4 ? IPAddress(fields[3]) : nil)
    }
}
