/// Opus packets as an Ogg file (RFC 3533, RFC 7845), one packet a page, so that other programs can play them.
enum Ogg {
    static func file(_ packets: [[UInt8]], samplesPerPacket: Int) -> [UInt8] {
        let head = Array("OpusHead".utf8) + [1, 1, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]
        let tags = Array("OpusTags".utf8) + [0, 0, 0, 0, 0, 0, 0, 0]
        var file = page(head, number: 0, granule: 0, flags: 2) + page(tags, number: 1, granule: 0, flags: 0)
        for (index, packet) in packets.enumerated() {
            file += page(
                packet, number: index + 2, granule: (index + 1) * samplesPerPacket, flags: index + 1 == packets.count ? 4 : 0)
        }
        return file
    }

    /// The packets of a file, without its two headers.
    static func packets(_ file: [UInt8]) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        var (open, position): ([UInt8], Int) = ([], 0)
        while position + 27 <= file.count, file[position..<(position + 4)].elementsEqual("OggS".utf8) {
            let segments = Int(file[position + 26])
            var start = position + 27 + segments
            for length in file[(position + 27)..<min(start, file.count)] {
                open += file[min(start, file.count)..<min(start + Int(length), file.count)]
                start += Int(length)
                guard length < 255 else { continue }
                packets.append(open)
                open = []
            }
            position = start
        }
        return Array(packets.dropFirst(2))
    }

    private static func page(_ packet: [UInt8], number: Int, granule: Int, flags: UInt8) -> [UInt8] {
        let lacing = Array(repeating: UInt8(255), count: packet.count / 255) + [UInt8(packet.count % 255)]
        var page = Array("OggS".utf8) + [0, flags] + little(granule, 8) + little(0x7461, 4) + little(number, 4) + little(0, 4)
        page += [UInt8(lacing.count)] + lacing + packet
        page.replaceSubrange(22..<26, with: little(Int(checksum(page)), 4))
        return page
    }

    private static func little(_ value: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// RFC 3533 §6: polynomial 0x04c11db7, neither reflected nor inverted.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.reduce(0) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte) << 24) { value, _ in value & 0x8000_0000 != 0 ? value << 1 ^ 0x04c1_1db7 : value << 1
            }
        }
    }
}
