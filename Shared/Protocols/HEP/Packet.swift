public import Addresses

/// What a capture server is told of one message beside the message itself: the chunks of HEP version 3 (EEP).
///
///     | "HEP3" | length (2) | chunks ... |     a chunk: | vendor (2) | type (2) | length (2), these six too | value |
public struct Packet: Sendable, Hashable {
    /// The IANA protocol number that the message travelled in.
    public enum Carrier: UInt8, Sendable, Hashable {
        case tcp = 6, udp = 17
    }

    /// What the payload is.
    public enum Content: UInt8, Sendable, Hashable {
        case sip = 1, rtcp = 5, log = 100
    }

    public var source: SocketAddress
    public var destination: SocketAddress
    public var carrier: Carrier
    public var content: Content
    /// Unix time in microseconds.
    public var microseconds: Int64
    /// Which of many capturing nodes this is.
    public var captureID: UInt32

    public init(
        source: SocketAddress, destination: SocketAddress, carrier: Carrier, content: Content = .sip, microseconds: Int64,
        captureID: UInt32
    ) {
        (self.source, self.destination, self.carrier) = (source, destination, carrier)
        (self.content, self.microseconds, self.captureID) = (content, microseconds, captureID)
    }

    static let magic: [4 of UInt8] = [0x48, 0x45, 0x50, 0x33]
    static let headLength = 6
    static let chunkHeadLength = 6
}

/// The generic chunks, vendor 0.
enum Chunk: UInt16 {
    case family = 1, carrier = 2, sourceV4 = 3, destinationV4 = 4, sourceV6 = 5, destinationV6 = 6, sourcePort = 7
    case destinationPort = 8, seconds = 9, microseconds = 10, content = 11, captureID = 12, password = 14, payload = 15, correlation = 17
    case node = 19
}

/// AF_INET and AF_INET6 as Linux numbers them, which is what the format took over.
enum Family: UInt8 {
    case v4 = 2, v6 = 10
}
