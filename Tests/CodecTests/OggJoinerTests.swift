import Codecs
import Testing

@Suite("One stream of Ogg of several, RFC 3533, RFC 7845")
struct OggJoinerTests {
    /// A stream of so many frames of 20 ms; cut off: its encoder died.
    private static func stream(_ frames: Int, serial: UInt32, isCut: Bool = false) throws -> [UInt8] {
        let stream = try OggOpusStream(channels: 1, bitrate: 24_000, serial: serial)
        var bytes: [UInt8] = []
        stream.begin(into: &bytes)
        stream.append((0..<frames * 160).map { Int16(truncatingIfNeeded: ($0 % 20) * 400 - 4000) }, into: &bytes)
        if !isCut { stream.finish(into: &bytes) }
        return bytes
    }

    private static func pages(_ bytes: [UInt8]) -> [OggPage] {
        var reader = OggPageReader()
        reader.append(bytes)
        var pages: [OggPage] = []
        while let page = reader.next() { pages.append(page) }
        return pages
    }

    private static func join(_ parts: [(at: Int, bytes: [UInt8])], piece: Int = 1000) throws -> [UInt8] {
        var joiner = OggOpusJoiner(channels: 1, bitrate: 24_000, serial: 7)
        var joined: [UInt8] = []
        for part in parts {
            joiner.follow(at: part.at)
            if joiner.frames < part.at { try joiner.silence(frames: part.at - joiner.frames, into: &joined) }
            for start in stride(from: 0, to: part.bytes.count, by: piece) {
                joiner.append(Array(part.bytes[start..<min(start + piece, part.bytes.count)]), into: &joined)
            }
        }
        joiner.finish(into: &joined)
        return joined
    }

    @Test("one serial number, pages counted on, granule positions that go on; the packets are those there were", arguments: [1, 333, 100_000])
    func one(piece: Int) throws {
        // The first was cut after two pages, the second ends as it should, and the third follows a gap.
        let parts: [(at: Int, bytes: [UInt8])] = [
            (0, try Self.stream(130, serial: 1, isCut: true)), (100, try Self.stream(75, serial: 2)), (200, try Self.stream(60, serial: 3)),
        ]
        let joined = try Self.join(parts, piece: piece)
        let pages = Self.pages(joined)
        #expect(pages.map(\.bytes).reduce(0) { $0 + $1.count } == joined.count)
        #expect(Set(pages.map(\.serial)) == [7])
        #expect(pages.map(\.sequence) == Array(0..<UInt32(pages.count)))
        #expect(pages.map { $0.flags & OggPage.Flag.first != 0 } == [true] + Array(repeating: false, count: pages.count - 1))
        #expect(pages.map { $0.flags & OggPage.Flag.last != 0 } == Array(repeating: false, count: pages.count - 1) + [true])
        var packets = 0
        for page in pages.dropFirst(2).dropLast() {
            packets += page.packets.count
            #expect(page.granule == UInt64(packets * 960))
        }
        var scan = OggScan()
        scan.read(joined)
        #expect(scan.samples == 260 * 960 && scan.isComplete)
        let all = pages.dropFirst(2).flatMap(\.packets)
        for part in parts {
            let own = Self.pages(part.bytes).dropFirst(2).flatMap(\.packets)
            #expect(all[part.at..<(part.at + min(own.count, 60))].elementsEqual(own.prefix(60)), "at \(part.at)")
        }
    }

    @Test("what a stream holds beyond the beginning of the next gives way; of one that was written already the next comes behind it")
    func overlap() throws {
        let whole = try Self.stream(100, serial: 1)
        for (at, frames) in [(100, 140), (99, 139), (120, 160)] {
            var scan = OggScan()
            scan.read(try Self.join([(0, whole), (at, try Self.stream(40, serial: 2))]))
            #expect(scan.samples == frames * 960)
        }
        var scan = OggScan()
        scan.read(try Self.join([(0, try Self.stream(400, serial: 1)), (100, try Self.stream(40, serial: 2))]))
        #expect(scan.samples >= 340 * 960 && scan.samples % 960 == 0)
    }

    @Test("nothing, noise and what was changed are no sound, and end nothing else")
    func damaged() throws {
        #expect(try Self.join([]) == [])
        #expect(try Self.join([(0, [UInt8](repeating: 7, count: 70_000))]) == [])
        var changed = try Self.stream(200, serial: 1)
        changed[changed.count / 2] ^= 1
        let joined = try Self.join([(0, changed), (200, try Self.stream(50, serial: 2))])
        var scan = OggScan()
        scan.read(joined)
        #expect(scan.length == joined.count && scan.samples == 250 * 960)
    }
}
