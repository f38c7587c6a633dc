/// Opus in Ogg (RFC 7845), from telephone sound: two header pages, then a page for each second, which stands by itself.
public final class OggOpusStream {
    /// 20 ms, on Opus' clock and on ours.
    private static let packet = 960
    private static let frame = 160
    private static let packetsOfAPage = 50
    private static let vendor = Array("Tandem".utf8)

    public let channels: Int
    private let engine: OpusEncoderEngine
    private let serial: UInt32
    private let preSkip: Int
    private var sequence: UInt32 = 0
    /// Sound that is no whole frame yet.
    private var waiting: [Int16] = []
    private var packets: [[UInt8]] = []
    private var encoded = 0
    private var given = 0

    /// `serial` tells the streams of one file apart; `bitrate` is that of a channel.
    public init(channels: Int, bitrate: Int, serial: UInt32) throws(CodecError) {
        engine = try OpusEncoderEngine(
            rate: 8000, channels: channels, OpusSettings(bitrate: bitrate, forwardErrorCorrection: false, expectedLoss: 0))
        (self.channels, self.serial) = (channels, serial)
        preSkip = engine.delay * 6
    }

    /// The pages before the sound (§3, §5).
    public func begin(into bytes: inout [UInt8]) {
        var head = Array("OpusHead".utf8) + [1, UInt8(clamping: channels)]
        head += [UInt8(truncatingIfNeeded: preSkip), UInt8(truncatingIfNeeded: preSkip >> 8)]
        head += Self.littleEndian(8000) + [0, 0, 0]
        write([head], flags: OggPage.Flag.first, granule: 0, into: &bytes)
        let tags = Array("OpusTags".utf8) + Self.littleEndian(UInt32(Self.vendor.count)) + Self.vendor + Self.littleEndian(0)
        write([tags], flags: 0, granule: 0, into: &bytes)
    }

    /// Appends the pages that are full by now; `sound` has its channels sample by sample.
    public func append(_ sound: [Int16], into bytes: inout [UInt8]) {
        given += sound.count / channels
        waiting += sound
        encodeFrames()
        while packets.count > Self.packetsOfAPage { flush(Self.packetsOfAPage, flags: 0, into: &bytes) }
    }

    /// The last page, which says where the sound ends (§4.4).
    public func finish(into bytes: inout [UInt8]) {
        let rest = Self.frame * channels
        waiting += Array(repeating: 0, count: (rest - waiting.count % rest) % rest)
        encodeFrames()
        // What the encoder still holds back comes out with silence behind it.
        while encoded * Self.packet < preSkip + given * 6 {
            waiting += Array(repeating: 0, count: rest)
            encodeFrames()
        }
        while packets.count > Self.packetsOfAPage { flush(Self.packetsOfAPage, flags: 0, into: &bytes) }
        flush(packets.count, flags: OggPage.Flag.last, end: preSkip + given * 6, into: &bytes)
    }

    private func encodeFrames() {
        let count = Self.frame * channels
        var start = 0
        while waiting.count - start >= count {
            var payload = [UInt8](repeating: 0, count: Coding.largestPayload)
            var room = payload.mutableSpan
            // A span of a class's property leaves its scope, says the optimiser.
            let frame = Array(waiting[start..<(start + count)])
            let length = engine.encode(frame.span, into: &room, at: 0)
            packets.append(Array(payload.prefix(length)))
            encoded += 1
            start += count
        }
        waiting.removeFirst(start)
    }

    private func flush(_ count: Int, flags: UInt8, end: Int? = nil, into bytes: inout [UInt8]) {
        let ended = (encoded - packets.count + count) * Self.packet
        write(Array(packets.prefix(count)), flags: flags, granule: UInt64(clamping: end ?? ended), into: &bytes)
        packets.removeFirst(count)
    }

    private func write(_ packets: [[UInt8]], flags: UInt8, granule: UInt64, into bytes: inout [UInt8]) {
        bytes += OggPage(flags: flags, granule: granule, serial: serial, sequence: sequence, packets: packets).bytes
        sequence &+= 1
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        stride(from: UInt32(0), to: 32, by: 8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
