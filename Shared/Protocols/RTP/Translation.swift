// What a translator changes in packets that it passes on (RFC 3550 §7.2), where they lie.

extension Header {
    /// Other numbers for a packet whose header has been read.
    public static func renumber(_ packet: inout MutableSpan<UInt8>, _ sequence: SequenceNumber, _ timestamp: Timestamp) {
        guard packet.count >= length else { return }
        packet[2] = UInt8(truncatingIfNeeded: sequence.value >> 8)
        packet[3] = UInt8(truncatingIfNeeded: sequence.value)
        packet.writeBigEndian32(timestamp.value, at: 4)
    }

    /// Another payload type, source and numbers.
    public func rewrite(_ packet: inout MutableSpan<UInt8>) {
        guard packet.count >= Self.length else { return }
        packet[1] = (marker ? 0x80 : 0) | payloadType.value
        Self.renumber(&packet, sequence, timestamp)
        packet.writeBigEndian32(ssrc.value, at: 8)
    }
}

extension ControlPacket {
    /// The RTP timestamps in the sender reports of one source.
    public static func shiftSenderTimestamps(_ compound: inout MutableSpan<UInt8>, count: Int, of ssrc: SSRC, by shift: UInt32) {
        var start = 0
        while let part = part(compound.span, start, count) {
            if part.type == 200, part.end - start >= 28, compound.span.bigEndian32(at: start + 4) == ssrc.value {
                compound.writeBigEndian32(compound.span.bigEndian32(at: start + 16) &+ shift, at: start + 16)
            }
            start = part.end
        }
    }

    /// The highest sequence numbers that receivers report of one source.
    public static func shiftHighestSequence(_ compound: inout MutableSpan<UInt8>, count: Int, about ssrc: SSRC, by shift: UInt16) {
        var start = 0
        while let part = part(compound.span, start, count) {
            if part.type == 200 || part.type == 201 {
                var block = start + (part.type == 200 ? 28 : 8)
                for _ in 0..<part.blocks where block + 24 <= part.end {
                    if compound.span.bigEndian32(at: block) == ssrc.value {
                        let highest = compound.span.bigEndian32(at: block + 8)
                        // The cycles stay what they are: a shift is of sixteen bits.
                        let shifted = highest & 0xffff_0000 | UInt32(UInt16(truncatingIfNeeded: highest) &+ shift)
                        compound.writeBigEndian32(shifted, at: block + 8)
                    }
                    block += 24
                }
            }
            start = part.end
        }
    }

    /// The packet of a compound that begins there.
    private static func part(_ compound: Span<UInt8>, _ start: Int, _ count: Int) -> (type: UInt8, blocks: Int, end: Int)? {
        guard count <= compound.count, start + 4 <= count else { return nil }
        let end = start + 4 * (Int(compound.bigEndian16(at: start + 2)) + 1)
        guard end <= count else { return nil }
        return (compound[start + 1], Int(compound[start] & 31), end)
    }
}
