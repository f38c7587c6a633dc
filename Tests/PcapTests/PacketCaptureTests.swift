import Addresses
import Pcap
import Testing

@Suite("Packet captures")
struct PacketCaptureTests {
    /// The ones' complement sum over 16-bit words (RFC 1071).
    private static func sum(_ bytes: [UInt8]) -> UInt32 {
        var sum = stride(from: 0, to: bytes.count, by: 2).reduce(UInt32(0)) { sum, index in
            sum + (UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0))
        }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return sum
    }

    private static func big(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<(type(of: value).bitWidth / 8)).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    @Test("The file's header: magic of microseconds, version 2.4, LINKTYPE_RAW")
    func header() {
        #expect(PacketCapture.header == [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0])
    }

    @Test("RFC 791, RFC 768: both checksums hold, of even and odd lengths", arguments: [0, 1, 160, 173])
    func ipv4(length: Int) throws {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var bytes: [UInt8] = []
        let (source, destination) = (try #require(SocketAddress("192.0.2.7:4000")), try #require(SocketAddress("198.51.100.1:30002")))
        PacketCapture.append(payload.span, from: source, to: destination, microseconds: 1_700_000_000_123_456, to: &bytes)
        #expect(Array(bytes[0..<4]) == [0x00, 0xf1, 0x53, 0x65] && Array(bytes[4..<8]) == [0x40, 0xe2, 1, 0])
        let whole = 28 + length
        #expect(bytes.count == 16 + whole && Array(bytes[8..<12]) == Array(bytes[12..<16]) && Int(bytes[8]) | Int(bytes[9]) << 8 == whole)
        let packet = Array(bytes[16...])
        #expect(packet[0] == 0x45 && packet[9] == 17 && Array(packet[12..<20]) == [192, 0, 2, 7, 198, 51, 100, 1])
        #expect(Self.sum(Array(packet[0..<20])) == 0xffff)
        let udp = Array(packet[20...])
        #expect(Array(udp[0..<4]) == Self.big(UInt16(4000)) + Self.big(UInt16(30002)) && Array(udp[8...]) == payload)
        #expect(Self.sum(Array(packet[12..<20]) + [0, 17] + Self.big(UInt16(udp.count)) + udp) == 0xffff)
    }

    @Test("RFC 8200 §8.1: the pseudo header of IPv6 is in the checksum")
    func ipv6() throws {
        let payload: [UInt8] = [1, 2, 3]
        var bytes: [UInt8] = []
        let (source, destination) = (try #require(SocketAddress("[2001:db8::1]:5")), try #require(SocketAddress("[::1]:6")))
        PacketCapture.append(payload.span, from: source, to: destination, microseconds: 0, to: &bytes)
        let packet = Array(bytes[16...])
        #expect(packet.count == 51 && packet[0] == 0x60 && packet[6] == 17 && Array(packet[4..<6]) == [0, 11])
        #expect(Array(packet[8..<24]) == Self.big(UInt64(0x2001_0db8_0000_0000)) + Self.big(UInt64(1)) && packet[39] == 1)
        let udp = Array(packet[40...])
        #expect(Self.sum(Array(packet[8..<40]) + Self.big(UInt32(udp.count)) + [0, 0, 0, 17] + udp) == 0xffff)
    }
}
