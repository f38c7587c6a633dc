import Codecs
import Deadlines
import RTP
import Testing

@Suite("Hostile payloads")
struct HostileTests {
    @Test("Any bytes of any length are decoded or refused, and never more than the longest packet is made", arguments: Coding.all)
    func anyBytes(coding: Coding, rate: Int) throws {
        var random = Seeded(rate)
        var decoder = try Decoder(coding, rate: rate)
        for _ in 0..<400 {
            let payload = Self.bytes(using: &random)
            let promised = decoder.samples(in: payload.span)
            let made = decoder.sound(payload).count
            if promised == nil { #expect(coding == .opus || made == 0 || made > 0 && payload.count * 2 > 0) }
            if let promised { #expect(made == promised || made == 0) }
            #expect(made <= decoder.maximumSamples)
            _ = decoder.recovered(Int.random(in: 0...decoder.maximumSamples, using: &random), from: payload)
        }
    }

    @Test("Any sound is encoded, in payloads that are decoded to as much", arguments: Coding.all)
    func anySound(coding: Coding, rate: Int) throws {
        var random = Seeded(rate + 1)
        var encoder = try Encoder(coding, rate: rate)
        var decoder = try Decoder(coding, rate: rate)
        let time = coding.packetTime(wished: 20)
        for round in 0..<60 {
            let frame = rate * time / 1000
            let sound: [Int16] = (0..<frame).map { index in
                switch round % 3 {
                case 0: Int16.random(in: Int16.min...Int16.max, using: &random)
                case 1: index / 20 % 2 == 0 ? .min : .max
                default: round % 2 == 0 ? .min : .max
                }
            }
            let payload = try #require(encoder.payloads(sound, milliseconds: time).first)
            #expect(!payload.isEmpty)
            #expect(payload.count <= Coding.largestPayload)
            #expect(decoder.sound(payload).count == frame)
        }
    }

    @Test("No room is no crash", arguments: Coding.all)
    func noRoom(coding: Coding, rate: Int) throws {
        var encoder = try Encoder(coding, rate: rate)
        var decoder = try Decoder(coding, rate: rate)
        let time = coding.packetTime(wished: 20)
        let sound = Sine.samples(440, rate: rate, count: rate * time / 1000)
        let payload = try #require(encoder.payloads(sound, milliseconds: time).first)
        for room in [0, 1, 9, 79] {
            var (bytes, samples) = ([UInt8](repeating: 0, count: room), [Int16](repeating: 0, count: room))
            var byteSpan = bytes.mutableSpan
            let written = encoder.encode(sound.span, into: &byteSpan)
            #expect(written <= room)
            #expect(encoder.encode(sound.span, into: &byteSpan, at: room + 1) == 0)
            var span = samples.mutableSpan
            #expect(decoder.decode(payload.span, into: &span) == 0)
            #expect(decoder.conceal(samples: 500, into: &span) == room)
            #expect(decoder.recover(samples: 500, from: payload.span, into: &span) == room)
        }
    }

    @Test("A stream bears any order, time, kind and bytes, and its own packets stay in order", arguments: 0..<24)
    func anyStream(seed: Int) throws {
        var random = Seeded(seed)
        let pairs = TranscoderTests.pairs
        let (source, target) = pairs[seed % pairs.count]
        var stream = TranscodingStream(
            try Transcoder(from: source, to: target, origin: Timestamp(0), settings: .init(packetTime: [10, 20, 60][seed % 3])),
            clockRate: source.clockRate)
        var packets = TranscodedPackets()
        var now = Instant(nanoseconds: 0)
        var (sequence, timestamp, last) = (UInt16(0), UInt32(0), -1)
        for _ in 0..<300 {
            now = now + .milliseconds(Int.random(in: 0...50, using: &random))
            let chaos = Int.random(in: 0..<20, using: &random)
            sequence =
                chaos == 0
                ? UInt16.random(in: 0...UInt16.max, using: &random) : sequence &+ UInt16.random(in: 0...3, using: &random)
            timestamp =
                chaos == 1
                ? UInt32.random(in: 0...UInt32.max, using: &random) : timestamp &+ UInt32.random(in: 0...5000, using: &random)
            let content: Content = [.sound, .sound, .sound, .comfortNoise, .event][Int.random(in: 0..<5, using: &random)]
            stream.receive(
                content, Self.bytes(using: &random).span, sequence: SequenceNumber(sequence), timestamp: Timestamp(timestamp),
                now: now,
                into: &packets)
            try Self.check(packets, &last)
            if let deadline = stream.deadline, Bool.random(using: &random) {
                now = max(now, deadline)
                stream.expire(now: now, into: &packets)
                try Self.check(packets, &last)
            }
        }
        #expect(stream.counters.received > 0)
    }

    static func check(_ packets: borrowing TranscodedPackets, _ last: inout Int) throws {
        for packet in packets.sent() {
            // The outgoing clock is far from wrapping here.
            #expect(Int(packet.timestamp) > last)
            #expect(!packet.payload.isEmpty && packet.payload.count <= Coding.largestPayload)
            last = Int(packet.timestamp)
        }
    }

    /// Random bytes; often of a length that a codec takes, and with GSM's signature.
    static func bytes(using random: inout Seeded) -> [UInt8] {
        let length = [Int.random(in: 0...1500, using: &random), 33, 66, 10, 20, 22, 2, 160, 320, 1, 0][
            Int.random(in: 0..<11, using: &random)]
        var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        if Bool.random(using: &random) {
            for start in stride(from: 0, to: length, by: 33) { bytes[start] = 0xd0 | bytes[start] & 15 }
        }
        return bytes
    }
}
