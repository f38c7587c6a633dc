import Codecs
import Testing

@Suite("Pages of Ogg, RFC 3533")
struct OggPageTests {
    @Test("§6: the checksum of known bytes")
    func checksum() {
        // The check value of CRC-32/CKSUM, 0x765e7680, without that one's last inversion.
        #expect(OggPage.checksum(Array("123456789".utf8).span) == 0x89a1_897f)
        #expect(OggPage.checksum([UInt8]().span) == 0)
        #expect(OggPage.checksum([UInt8](arrayLiteral: 1).span) == 0x04c1_1db7)
    }

    @Test("§6: fields stand where the RFC has them; a packet of 255 bytes ends with an empty segment")
    func layout() {
        let packets = [[UInt8](repeating: 1, count: 3), [UInt8](repeating: 2, count: 255), [UInt8](repeating: 3, count: 600)]
        let page = OggPage(flags: OggPage.Flag.last, granule: 0x0102_0304, serial: 0x0a0b_0c0d, sequence: 5, packets: packets)
        let bytes = page.bytes
        #expect(bytes.starts(with: Array("OggS".utf8) + [0, 4, 4, 3, 2, 1, 0, 0, 0, 0, 0x0d, 0x0c, 0x0b, 0x0a, 5, 0, 0, 0]))
        #expect(bytes[26] == 6 && Array(bytes[27..<33]) == [3, 255, 0, 255, 255, 90])
        #expect(bytes.count == 33 + 858)
        var unsigned = bytes
        for index in 22..<26 { unsigned[index] = 0 }
        let sum = OggPage.checksum(unsigned.span)
        #expect((0..<4).allSatisfy { bytes[22 + $0] == UInt8(truncatingIfNeeded: sum >> (8 * UInt32($0))) })
    }

    @Test("a scan stops before a page that was changed or cut, however the bytes come")
    func scan() throws {
        let stream = try OggOpusStream(channels: 1, bitrate: 16_000, serial: 9)
        var bytes: [UInt8] = []
        stream.begin(into: &bytes)
        stream.append([Int16](repeating: 100, count: 8000 * 5 + 77), into: &bytes)
        stream.finish(into: &bytes)
        for step in [1, 7, 1000, bytes.count] {
            var scan = OggScan()
            for start in stride(from: 0, to: bytes.count, by: step) { scan.read(Array(bytes[start..<min(start + step, bytes.count)])) }
            #expect(scan.length == bytes.count && scan.isComplete)
            #expect(scan.samples == (8000 * 5 + 77) * 6)
        }
        var changed = bytes
        changed[bytes.count / 2] ^= 0x10
        var scan = OggScan()
        scan.read(changed)
        #expect(scan.length < bytes.count / 2 && scan.length > 0 && !scan.isComplete)
        #expect(scan.samples % 960 == 0 || scan.samples > 0)
        // Two streams, one behind the other.
        var chain = OggScan()
        chain.read(bytes + bytes)
        #expect(chain.samples == 2 * (8000 * 5 + 77) * 6)
    }
}
