import RTP
import Testing

private func parse(_ bytes: [UInt8]) throws(ParseError) -> Header { try Header(parsing: bytes.span) }

private let plain: [UInt8] = [0x80, 0x80, 0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3]
/// Two contributors, an extension of one word and three octets of padding.
private let full: [UInt8] =
    [0xb2, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2] + [0, 0, 0, 3, 0, 0, 0, 4] + [0xbe, 0xde, 0, 1, 9, 9, 9, 9] + [5, 6] + [0, 0, 3]

@Suite("RTP: header (RFC 3550 §5)")
struct RTPHeaderTests {
    @Test("§5.1: the fixed header")
    func fixedHeader() throws {
        let header = try parse(plain)
        #expect(header.marker && header.payloadType == .pcmu && header.sequence.value == 0x1234)
        #expect(header.timestamp.value == 160 && header.ssrc.value == 0xdead_beef && header.payloadRange == 12..<15)
        var written: [UInt8] = []
        header.append(to: &written)
        #expect(written == Array(plain[..<12]))
        var buffer = [UInt8](repeating: 0, count: 20)
        var span = buffer.mutableSpan
        header.write(into: &span, at: 4)
        #expect(Array(buffer[4..<16]) == written)
    }

    @Test("§5.1, §5.3.1: contributors, extension and padding are stepped over")
    func fullHeader() throws {
        let header = try parse(full)
        #expect(header.contributorCount == 2 && header.extensionProfile == 0xbede)
        #expect(full[header.extensionRange] == [9, 9, 9, 9] && full[header.payloadRange] == [5, 6])
    }

    @Test("Every truncation is an error or an honest shorter packet, never a trap")
    func truncations() {
        for packet in [plain, full] {
            for end in packet.indices {
                if let header = try? parse(Array(packet[..<end])) { #expect(header.payloadRange.upperBound <= end) }
            }
        }
        #expect(throws: ParseError.truncated) { try parse(Array(plain[..<11])) }
        #expect(throws: ParseError.version) { try parse([UInt8](repeating: 0, count: 12)) }
        #expect(throws: ParseError.inconsistent) { try parse([0xa0] + Array(plain[1..<12]) + [200]) }
        #expect(throws: ParseError.inconsistent) { try parse([0xa0] + Array(plain[1..<12]) + [0]) }
        #expect(throws: ParseError.truncated) { try parse([0x8f] + Array(plain[1...])) }
    }

    @Test("§5.1: sequence numbers and timestamps wrap")
    func wrap() {
        #expect(SequenceNumber(2).distance(from: SequenceNumber(65534)) == 4)
        #expect(SequenceNumber(65534).distance(from: SequenceNumber(2)) == -4)
        #expect(SequenceNumber(65535).next == SequenceNumber(0))
        #expect(Timestamp(100).distance(from: Timestamp(0xffff_ff9c)) == 200)
    }

    @Test("RFC 5761 §4: RTCP is told from RTP by its type")
    func demultiplexing() {
        let report: [UInt8] = [0x80, 200, 0, 1, 0, 0, 0, 0]
        let kinds = [report, plain, Array(report[..<7])].map { Header.isControlPacket($0.span) }
        #expect(kinds == [true, false, false])
    }
}
