/// What a context must know of an RTP packet (RFC 3550 §5.1): its place in the stream, and where its header ends.
///
/// Not `RTP.Header`, which looks at the padding: that is encrypted.
struct PacketHead {
    let ssrc: UInt32
    let sequence: UInt16
    let headerLength: Int

    /// The packet without its tag.
    @inline(__always)
    init(_ packet: Span<UInt8>, count: Int) throws(Failure) {
        guard count >= 12, count <= packet.count, packet[0] >> 6 == 2 else { throw .malformed }
        var length = 12 &+ 4 &* Int(packet[0] & 15)
        if packet[0] & 0x10 != 0 {
            guard count >= length &+ 4 else { throw .malformed }
            length &+= 4 &+ 4 &* Int(packet.bigEndian16(at: length &+ 2))
        }
        guard count >= length else { throw .malformed }
        (ssrc, sequence, headerLength) = (packet.bigEndian32(at: 8), packet.bigEndian16(at: 2), length)
    }

    /// The source of an RTCP packet (RFC 3550 §6.1), without its word and tag.
    @inline(__always)
    static func controlSource(_ packet: Span<UInt8>, count: Int) throws(Failure) -> UInt32 {
        guard count >= Transform.controlHeaderLength, count <= packet.count, packet[0] >> 6 == 2 else { throw .malformed }
        return packet.bigEndian32(at: 4)
    }
}
