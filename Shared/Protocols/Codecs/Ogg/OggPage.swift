/// A page of Ogg (RFC 3533 §6): whole packets, counted and checked, so that a file cut after any page can be played to there.
///
///      0                   1                   2                   3
///      | capture pattern "OggS"                                        |
///      | version | flags | granule position ...                        |
///      | ... | serial number | sequence number | checksum | segments   |
///      | segment table ... | packets ...                               |
public struct OggPage: Sendable, Equatable {
    public static let headerLength = 27
    static let capture = Array("OggS".utf8)

    public enum Flag {
        public static let continued: UInt8 = 1
        public static let first: UInt8 = 2
        public static let last: UInt8 = 4
    }

    public var flags: UInt8
    /// The end of the last packet that ends here, on the codec's clock.
    public var granule: UInt64
    public var serial: UInt32
    public var sequence: UInt32
    /// Lengths of the packets as the page has them: each of 255 goes on in the next.
    public var segments: [UInt8]
    public var body: [UInt8]

    public init(flags: UInt8 = 0, granule: UInt64, serial: UInt32, sequence: UInt32, packets: [[UInt8]] = []) {
        (self.flags, self.granule, self.serial, self.sequence) = (flags, granule, serial, sequence)
        (segments, body) = ([], [])
        for packet in packets {
            segments += Self.lacing(packet.count)
            body += packet
        }
    }

    /// The segments a packet of that length takes.
    static func lacing(_ length: Int) -> [UInt8] {
        Array(repeating: 255, count: length / 255) + [UInt8(length % 255)]
    }

    public var bytes: [UInt8] {
        var bytes = Self.capture + [0, flags]
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: granule >> shift)) }
        for word in [serial, sequence, 0] {
            for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        bytes.append(UInt8(clamping: segments.count))
        bytes += segments + body
        let checksum = Self.checksum(bytes.span)
        for index in 0..<4 { bytes[22 + index] = UInt8(truncatingIfNeeded: checksum >> (UInt32(index) * 8)) }
        return bytes
    }

    /// CRC 32 with the generator 0x04c11db7, from the top bit down, without inversions (§6, field 7).
    public static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        let table = Self.table.span
        var value: UInt32 = 0
        for index in bytes.indices { value = value << 8 ^ table[Int(UInt8(truncatingIfNeeded: value >> 24) ^ bytes[index])] }
        return value
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { value, _ in value & 0x8000_0000 == 0 ? value << 1 : value << 1 ^ 0x04c1_1db7 }
    }
}

/// Reads the pages of a file that comes in pieces: where the whole ones end, and what they say of its length.
///
/// Anything may come; it is read as far as it is Ogg, and no more than a page is held.
public struct OggScan: Sendable {
    private static let largestPage = OggPage.headerLength + 255 + 255 * 255

    /// Bytes of whole pages, one after the other from the beginning.
    public private(set) var length = 0
    /// The last stream says that it ends.
    public private(set) var isComplete = false
    private var earlier = 0
    private var preSkip = 0
    private var granule = 0
    private var rest: [UInt8] = []
    private var isBroken = false

    public init() {}

    /// Of Opus: samples at 48 kHz that are heard, over all streams that follow each other.
    public var samples: Int { earlier + max(0, granule - preSkip) }

    public mutating func read(_ piece: [UInt8]) {
        guard !isBroken else { return }
        rest += piece
        var start = 0
        while let page = Self.page(rest.span, at: start) {
            take(page, at: start)
            start += page.length
        }
        rest.removeFirst(start)
        length += start
        if rest.count > Self.largestPage { (isBroken, rest) = (true, []) }
    }

    private mutating func take(_ page: Page, at start: Int) {
        isComplete = page.flags & OggPage.Flag.last != 0
        if page.flags & OggPage.Flag.first != 0 {
            (earlier, granule, preSkip) = (min(samples, 1 << 60), 0, 0)
            // `OpusHead`, version, channels, and then what is to be skipped (RFC 7845 §5.1).
            let head = start + OggPage.headerLength + page.segments
            if head + 12 <= start + page.length { preSkip = Int(rest[head + 10]) | Int(rest[head + 11]) << 8 }
        } else if page.granule != UInt64.max {
            granule = Int(clamping: min(page.granule, 1 << 56))
        }
    }

    private struct Page {
        var length: Int
        var flags: UInt8
        var granule: UInt64
        var segments: Int
    }

    private static func page(_ bytes: Span<UInt8>, at start: Int) -> Page? {
        guard bytes.count - start >= OggPage.headerLength else { return nil }
        for index in 0..<4 where bytes[start + index] != OggPage.capture[index] { return nil }
        let segments = Int(bytes[start + 26])
        guard bytes.count - start >= OggPage.headerLength + segments else { return nil }
        var length = OggPage.headerLength + segments
        for index in 0..<segments { length += Int(bytes[start + OggPage.headerLength + index]) }
        guard bytes.count - start >= length else { return nil }
        var (granule, checksum) = (UInt64(0), UInt32(0))
        for index in 0..<8 { granule |= UInt64(bytes[start + 6 + index]) << UInt64(8 * index) }
        for index in 0..<4 { checksum |= UInt32(bytes[start + 22 + index]) << UInt32(8 * index) }
        var page: [UInt8] = []
        page.reserveCapacity(length)
        for index in 0..<length { page.append((22..<26).contains(index) ? 0 : bytes[start + index]) }
        guard OggPage.checksum(page.span) == checksum else { return nil }
        return Page(length: length, flags: bytes[start + 5], granule: granule, segments: segments)
    }
}
