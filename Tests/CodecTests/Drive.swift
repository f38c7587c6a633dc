import Codecs
import Deadlines
import RTP

/// Sends packets through a transcoder and keeps what comes out.
struct Leg: ~Copyable {
    var transcoder: Transcoder
    var packets = TranscodedPackets()
    var sent: [Sent] = []
    var tones: [ToneDetector.Event] = []
    let source: Coding
    var timestamp: UInt32

    init(
        from source: Coding, to target: Coding, origin: UInt32 = 1000, start: UInt32 = 4_294_960_000,
        settings: Transcoder.Settings = .init()
    ) throws {
        transcoder = try Transcoder(from: source, to: target, origin: Timestamp(origin), settings: settings)
        (self.source, timestamp) = (source, start)
    }

    /// One packet, then the clock of the source goes on by `milliseconds`.
    mutating func send(_ payload: [UInt8], milliseconds: Int, lost: Int = 0) {
        transcoder.sound(payload.span, timestamp: Timestamp(timestamp), lost: lost, into: &packets)
        wait(milliseconds: milliseconds)
        collect()
    }

    mutating func describeSilence(_ payload: [UInt8]) {
        transcoder.comfortNoise(payload.span, timestamp: Timestamp(timestamp), into: &packets)
        collect()
    }

    func pausing() -> Bool { transcoder.isPausing }

    mutating func fill() {
        transcoder.fill(into: &packets)
        collect()
    }

    mutating func wait(milliseconds: Int) { timestamp &+= UInt32(source.clockRate * milliseconds / 1000) }

    private mutating func collect() {
        sent += packets.sent()
        tones += packets.tones()
        packets.removeAll()
    }

    /// What the far end hears, packet after packet.
    func heard(as target: Coding) throws -> [Int16] {
        var decoder = try Decoder(target)
        return decoder.sound(sent.map(\.payload))
    }
}

/// The randomness of tests: the same seed, the same test (splitmix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: Int) { state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
