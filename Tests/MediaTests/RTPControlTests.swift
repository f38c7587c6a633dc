import RTP
import Testing

private let block = ReportBlock(
    ssrc: SSRC(7), fractionLost: 12, cumulativeLost: -3, highestSequence: 70000, jitter: 9, lastSenderReport: 5, delaySinceLast: 6)

@Suite("RTP: control packets (RFC 3550 §6)")
struct RTPControlTests {
    private let packets: [ControlPacket] = [
        .senderReport(
            SenderReport(
                ssrc: SSRC(1), ntpTime: 0x0102_0304_0506_0708, timestamp: Timestamp(9), packetCount: 10, octetCount: 1600,
                blocks: [block])),
        .receiverReport(ReceiverReport(ssrc: SSRC(2), blocks: [block, block])),
        .sourceDescription([
            SourceDescription(ssrc: SSRC(1), canonicalName: "abc"), SourceDescription(ssrc: SSRC(2), canonicalName: "abcdef"),
        ]),
        .goodbye(sources: [SSRC(1)], reason: "bye"),
    ]

    @Test("§6.1: a compound is read as it was written")
    func roundTrip() throws {
        var bytes: [UInt8] = []
        for packet in packets { packet.append(to: &bytes) }
        #expect(bytes.count % 4 == 0)
        #expect(try ControlPacket.parse(bytes.span) == packets)
    }

    @Test("§6.4.1: the words of a sender report are where the figure puts them")
    func layout() {
        var bytes: [UInt8] = []
        packets[0].append(to: &bytes)
        #expect(Array(bytes[..<8]) == [0x81, 200, 0, 12, 0, 0, 0, 1])
        #expect(Array(bytes[28..<36]) == [0, 0, 0, 7, 12, 0xff, 0xff, 0xfd])
    }

    @Test("§6.5: chunks end on a word whatever the length of the name")
    func chunks() throws {
        for length in 0...255 {
            let packet = ControlPacket.sourceDescription([
                SourceDescription(ssrc: SSRC(1), canonicalName: String(repeating: "n", count: length)),
                SourceDescription(ssrc: SSRC(2), canonicalName: nil),
            ])
            var bytes: [UInt8] = []
            packet.append(to: &bytes)
            #expect(try ControlPacket.parse(bytes.span) == [packet])
        }
    }

    @Test("V6: no truncation and no changed octet traps")
    func hostile() {
        var bytes: [UInt8] = []
        for packet in packets { packet.append(to: &bytes) }
        for end in bytes.indices { _ = try? ControlPacket.parse(bytes.span.extracting(0..<end)) }
        for index in bytes.indices {
            for octet in [0, 1, 0x1f, 0x7f, 0xa0, 0xbf, 0xff] as [UInt8] {
                var changed = bytes
                changed[index] = octet
                _ = try? ControlPacket.parse(changed.span)
            }
        }
        #expect(throws: ParseError.truncated) { try ControlPacket.parse(([0x80, 201, 0, 9, 0, 0, 0, 0] as [UInt8]).span) }
        #expect(throws: ParseError.version) { try ControlPacket.parse([UInt8](repeating: 0, count: 8).span) }
    }
}
