/// One stream of Opus in Ogg (RFC 7845) of what several encoders have made one after the other, so that every player sees one sound of
/// full length: one serial number, pages that are counted on, and granule positions that go on.
///
/// Packets stay as they are. Each has its place by the frame of 20 ms at which its stream began; where nobody encoded there is silence.
/// An encoder begins with a packet that stands by itself, so that a decoder which goes on from another's needs no more than that packet.
public struct OggOpusJoiner {
    private static let packet = 960
    private static let packetsOfAPage = 50
    /// Held back, because a following stream may begin before this one's end: encoders hold sound back, too.
    private static let heldBack = 3

    private let channels: Int
    private let bitrate: Int
    private let serial: UInt32
    private var sequence: UInt32 = 0
    private var reader = OggPageReader()
    private var packets: [[UInt8]] = []
    /// Packets so far, those that wait too.
    private var count = 0
    /// Where the stream that is read began.
    private var begin = 0
    /// Where the sound of the stream that was read ends, as it says itself.
    private var end: UInt64?
    private var hasHead = false

    public init(channels: Int, bitrate: Int, serial: UInt32) {
        (self.channels, self.bitrate, self.serial) = (channels, bitrate, serial)
    }

    /// In frames of 20 ms.
    public var frames: Int { count }

    /// Another stream follows, of which the first frame is that one; `silence` says how much has to come before it.
    public mutating func follow(at frame: Int) {
        while count > frame, !packets.isEmpty {
            packets.removeLast()
            count -= 1
        }
        (reader, begin, end) = (OggPageReader(), count, nil)
    }

    /// So many frames that nobody encoded.
    public mutating func silence(frames: Int, into bytes: inout [UInt8]) throws(CodecError) {
        let stream = try OggOpusStream(channels: channels, bitrate: bitrate, serial: serial)
        var pages: [UInt8] = []
        stream.begin(into: &pages)
        stream.append([Int16](repeating: 0, count: frames * 160 * channels), into: &pages)
        stream.finish(into: &pages)
        let last = count + frames
        begin = count
        append(pages, into: &bytes)
        // Without what the encoder held back.
        follow(at: last)
    }

    /// Bytes of the stream that is read, in pieces of any length; what is damaged ends it.
    public mutating func append(_ piece: [UInt8], into bytes: inout [UInt8]) {
        reader.append(piece)
        while let page = reader.next() {
            if page.flags & OggPage.Flag.first != 0 {
                head(page, into: &bytes)
                continue
            }
            guard !page.body.starts(with: Array("OpusTags".utf8)) else { continue }
            for packet in page.packets {
                packets.append(packet)
                count += 1
            }
            if page.flags & OggPage.Flag.last != 0 { end = UInt64(begin * Self.packet) &+ page.granule }
            while packets.count > Self.packetsOfAPage + Self.heldBack { flush(Self.packetsOfAPage, flags: 0, into: &bytes) }
        }
    }

    /// The last page; without any stream there is none.
    public mutating func finish(into bytes: inout [UInt8]) {
        guard hasHead else { return }
        while packets.count > Self.packetsOfAPage { flush(Self.packetsOfAPage, flags: 0, into: &bytes) }
        flush(packets.count, flags: OggPage.Flag.last, end: end, into: &bytes)
    }

    /// The first stream's are the whole's.
    private mutating func head(_ page: OggPage, into bytes: inout [UInt8]) {
        guard !hasHead else { return }
        hasHead = true
        var other = page
        (other.serial, other.sequence) = (serial, sequence)
        bytes += other.bytes
        let tags = Array("OpusTags".utf8) + [6, 0, 0, 0] + Array("Tandem".utf8) + [0, 0, 0, 0]
        bytes += OggPage(flags: 0, granule: 0, serial: serial, sequence: sequence &+ 1, packets: [tags]).bytes
        sequence &+= 2
    }

    private mutating func flush(_ number: Int, flags: UInt8, end: UInt64? = nil, into bytes: inout [UInt8]) {
        let whole = UInt64((count - packets.count + number) * Self.packet)
        let page = OggPage(
            flags: flags, granule: min(end ?? whole, whole), serial: serial, sequence: sequence, packets: Array(packets.prefix(number)))
        bytes += page.bytes
        packets.removeFirst(number)
        sequence &+= 1
    }
}
