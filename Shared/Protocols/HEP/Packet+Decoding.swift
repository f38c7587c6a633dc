internal import Addresses

/// Why bytes are no packet of HEP version 3 that carries one message.
public enum ParseError: Error, Hashable, Sendable, CaseIterable {
    case notHEP3, wrongLength, badChunk, missingChunk
}

/// A packet with all it carries, as a capture server reads it.
public struct CapturedMessage: Sendable, Hashable {
    public let packet: Packet
    public let node: [UInt8]
    public let password: [UInt8]
    public let correlation: [UInt8]
    public let payload: [UInt8]

    /// Reads one packet; chunks of vendors and types not known here are passed over.
    public init(parsing bytes: Span<UInt8>) throws(ParseError) {
        var chunks = try Chunks(of: bytes)
        guard let family = chunks.number(.family), let family = Family(rawValue: UInt8(truncatingIfNeeded: family)),
            let carrier = chunks.number(.carrier).flatMap({ Packet.Carrier(rawValue: UInt8(truncatingIfNeeded: $0)) }),
            let content = chunks.number(.content).flatMap({ Packet.Content(rawValue: UInt8(truncatingIfNeeded: $0)) }),
            let source = chunks.address(family == .v4 ? .sourceV4 : .sourceV6),
            let destination = chunks.address(family == .v4 ? .destinationV4 : .destinationV6),
            let sourcePort = chunks.number(.sourcePort), let destinationPort = chunks.number(.destinationPort),
            let seconds = chunks.number(.seconds), let microseconds = chunks.number(.microseconds),
            let captureID = chunks.number(.captureID), let payload = chunks.take(.payload)
        else { throw .missingChunk }
        packet = Packet(
            source: SocketAddress(source, port: UInt16(truncatingIfNeeded: sourcePort)),
            destination: SocketAddress(destination, port: UInt16(truncatingIfNeeded: destinationPort)), carrier: carrier,
            content: content, microseconds: Int64(seconds) * 1_000_000 + Int64(microseconds), captureID: captureID)
        (node, password) = (chunks.take(.node) ?? [], chunks.take(.password) ?? [])
        (correlation, self.payload) = (chunks.take(.correlation) ?? [], payload)
    }
}

/// The values of the generic chunks of one packet.
private struct Chunks {
    private var values: [UInt16: [UInt8]] = [:]

    init(of bytes: Span<UInt8>) throws(ParseError) {
        guard bytes.count >= Packet.headLength, Packet.magic.indices.allSatisfy({ bytes[$0] == Packet.magic[$0] }) else {
            throw .notHEP3
        }
        guard Self.number(bytes, at: 4) == bytes.count else { throw .wrongLength }
        var at = Packet.headLength
        while at < bytes.count {
            guard bytes.count - at >= Packet.chunkHeadLength else { throw .badChunk }
            let (vendor, type, length) = (
                Self.number(bytes, at: at), Self.number(bytes, at: at + 2), Self.number(bytes, at: at + 4)
            )
            guard length >= Packet.chunkHeadLength, length <= bytes.count - at else { throw .badChunk }
            if vendor == 0 {
                var value: [UInt8] = []
                for index in at + Packet.chunkHeadLength..<at + length { value.append(bytes[index]) }
                guard values.updateValue(value, forKey: UInt16(type)) == nil else { throw .badChunk }
            }
            at += length
        }
    }

    private static func number(_ bytes: Span<UInt8>, at index: Int) -> Int { Int(bytes[index]) << 8 | Int(bytes[index + 1]) }

    mutating func take(_ chunk: Chunk) -> [UInt8]? { values.removeValue(forKey: chunk.rawValue) }

    /// One, two or four bytes, as its type has them.
    func number(_ chunk: Chunk) -> UInt32? {
        let width =
            switch chunk {
            case .family, .carrier, .content: 1
            case .sourcePort, .destinationPort: 2
            default: 4
            }
        guard let value = values[chunk.rawValue], value.count == width else { return nil }
        return value.reduce(0) { $0 << 8 | UInt32($1) }
    }

    func address(_ chunk: Chunk) -> IPAddress? {
        guard let value = values[chunk.rawValue] else { return nil }
        let halves = [value.prefix(8), value.dropFirst(8)].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return switch value.count {
        case 4: IPAddress(v4: UInt32(truncatingIfNeeded: halves[0]))
        case 16: IPAddress(v6High: halves[0], v6Low: halves[1])
        default: nil
        }
    }
}
