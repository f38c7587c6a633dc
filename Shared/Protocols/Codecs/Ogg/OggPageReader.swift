/// Takes the pages out of a file that comes in pieces of any length, as far as it is Ogg and nothing was changed.
public struct OggPageReader: Sendable {
    private static let largestPage = OggPage.headerLength + 255 + 255 * 255

    private var rest: [UInt8] = []
    private var start = 0
    /// What came is no page: nothing more is read.
    public private(set) var isBroken = false

    public init() {}

    public mutating func append(_ piece: [UInt8]) {
        guard !isBroken else { return }
        rest.removeFirst(start)
        start = 0
        rest += piece
    }

    /// Nil until more has come.
    public mutating func next() -> OggPage? {
        guard !isBroken else { return nil }
        let (head, available) = (OggPage.headerLength, rest.count - start)
        guard available >= head else { return nil }
        let segments = Int(rest[start + 26])
        guard available >= head + segments else { return nil }
        let lengths = Array(rest[(start + head)..<(start + head + segments)])
        let length = head + segments + lengths.reduce(0) { $0 + Int($1) }
        guard available >= length else { return nil }
        var page = OggPage(flags: rest[start + 5], granule: number(at: 6, bytes: 8), serial: UInt32(number(at: 14, bytes: 4)),
            sequence: UInt32(number(at: 18, bytes: 4)))
        page.segments = lengths
        page.body = Array(rest[(start + head + segments)..<(start + length)])
        // Made anew it is the same, its checksum too, or it is not what was written.
        guard page.bytes.elementsEqual(rest[start..<(start + length)]) else {
            (isBroken, rest, start) = (true, [], 0)
            return nil
        }
        start += length
        return page
    }

    private func number(at offset: Int, bytes: Int) -> UInt64 {
        (0..<bytes).reduce(0) { $0 | UInt64(rest[start + offset + $1]) << UInt64(8 * $1) }
    }
}

extension OggPage {
    /// Its packets; one that began before it or goes on behind it is left out.
    public var packets: [[UInt8]] {
        var packets: [[UInt8]] = []
        var (begin, end) = (0, 0)
        var isWhole = flags & Flag.continued == 0
        for length in segments {
            end += Int(length)
            guard length < 255 else { continue }
            if isWhole, end <= body.count { packets.append(Array(body[begin..<end])) }
            (begin, isWhole) = (end, true)
        }
        return packets
    }
}
