/// The header of an RTP packet (RFC 3550 §5.1) and where in the datagram its parts lie.
///
/// A value of fixed size: reading one allocates nothing.
public struct Header: Hashable, Sendable {
    public var marker: Bool
    public var payloadType: PayloadType
    public var sequence: SequenceNumber
    public var timestamp: Timestamp
    public var ssrc: SSRC
    /// Contributing sources, at octets `12 + 4 * index`.
    public private(set) var contributorCount: Int
    /// The `defined by profile` half-word of the header extension (RFC 3550 §5.3.1); nil without extension.
    public private(set) var extensionProfile: UInt16?
    /// The extension's data, after its four octets of header.
    public private(set) var extensionRange: Range<Int>
    /// The payload without padding.
    public private(set) var payloadRange: Range<Int>

    public static let length = 12

    public init(payloadType: PayloadType, sequence: SequenceNumber, timestamp: Timestamp, ssrc: SSRC, marker: Bool = false) {
        (self.payloadType, self.sequence, self.timestamp, self.ssrc, self.marker) = (payloadType, sequence, timestamp, ssrc, marker)
        (contributorCount, extensionProfile) = (0, nil)
        (extensionRange, payloadRange) = (Self.length..<Self.length, Self.length..<Self.length)
    }

    /// Reads the header at the start of a datagram and checks that everything it announces is there.
    public init(parsing packet: Span<UInt8>) throws(ParseError) {
        guard packet.count >= Self.length else { throw .truncated }
        let first = packet[0]
        guard first >> 6 == 2 else { throw .version }
        let second = packet[1]
        marker = second & 0x80 != 0
        payloadType = PayloadType(second)
        sequence = SequenceNumber(packet.bigEndian16(at: 2))
        timestamp = Timestamp(packet.bigEndian32(at: 4))
        ssrc = SSRC(packet.bigEndian32(at: 8))
        contributorCount = Int(first & 15)

        var start = Self.length + 4 * contributorCount
        guard packet.count >= start else { throw .truncated }
        if first & 0x10 != 0 {
            guard packet.count >= start + 4 else { throw .truncated }
            extensionProfile = packet.bigEndian16(at: start)
            let end = start + 4 + 4 * Int(packet.bigEndian16(at: start + 2))
            guard packet.count >= end else { throw .truncated }
            extensionRange = start + 4..<end
            start = end
        } else {
            (extensionProfile, extensionRange) = (nil, start..<start)
        }
        var end = packet.count
        if first & 0x20 != 0 {
            // The last octet counts the padding, itself included.
            let padding = Int(packet[end - 1])
            guard padding > 0, end - padding >= start else { throw .inconsistent }
            end -= padding
        }
        payloadRange = start..<end
    }

    /// Writes the twelve octets of a header without contributors, extension or padding at `offset`.
    ///
    /// - Precondition: twelve octets fit there.
    public func write(into packet: inout MutableSpan<UInt8>, at offset: Int = 0) {
        precondition(packet.count - offset >= Self.length, "the caller's buffer holds a header")
        packet[offset] = 0x80
        packet[offset + 1] = (marker ? 0x80 : 0) | payloadType.value
        packet[offset + 2] = UInt8(truncatingIfNeeded: sequence.value >> 8)
        packet[offset + 3] = UInt8(truncatingIfNeeded: sequence.value)
        packet.writeBigEndian32(timestamp.value, at: offset + 4)
        packet.writeBigEndian32(ssrc.value, at: offset + 8)
    }

    /// Appends the same twelve octets.
    public func append(to packet: inout [UInt8]) {
        packet.append(0x80)
        packet.append((marker ? 0x80 : 0) | payloadType.value)
        packet.appendBigEndian(sequence.value)
        packet.appendBigEndian(timestamp.value)
        packet.appendBigEndian(ssrc.value)
    }

    /// RFC 5761 §4: on a shared port the packet types 192...223 are RTCP; RTP keeps away from 64...95 with the marker set.
    public static func isControlPacket(_ packet: Span<UInt8>) -> Bool {
        packet.count >= 8 && packet[0] >> 6 == 2 && (192...223).contains(packet[1])
    }
}
