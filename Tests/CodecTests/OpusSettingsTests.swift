import Codecs
import RTP
import Testing

@Suite("Opus as it is set up")
struct OpusSettingsTests {
    private static func payloads(_ settings: OpusSettings, rate: Int = 8000, seconds: Int = 4) throws -> [[UInt8]] {
        var encoder = try Encoder(.opus, rate: rate, opus: settings)
        return encoder.payloads(Sine.voice(rate: rate, count: rate * seconds))
    }

    /// Bits a second of packets of 20 ms.
    private static func bitrate(_ payloads: [[UInt8]]) -> Int { payloads.reduce(0) { $0 + $1.count } * 8 * 50 / max(1, payloads.count) }

    @Test("RFC 6716 §2.1.1: a voice stays below the highest rate, whatever is chosen beside it", arguments: [6000, 8000, 12_000])
    func highestRate(most: Int) throws {
        for chosen in [nil, 64_000] as [Int?] {
            let bitrate = Self.bitrate(try Self.payloads(OpusSettings(bitrate: chosen, maximumBitrate: most)))
            #expect(bitrate <= most + most / 50 && bitrate > most * 3 / 4, "\(bitrate)")
        }
    }

    @Test("A highest rate above the one chosen changes nothing; none is below what Opus can do")
    func rateBounds() throws {
        let usual = try Self.payloads(OpusSettings(), seconds: 1)
        #expect(try Self.payloads(OpusSettings(maximumBitrate: 510_000), seconds: 1) == usual)
        #expect(OpusSettings(maximumBitrate: 1).maximumBitrate == 6000)
        #expect(OpusSettings(maximumBitrate: Int.max).maximumBitrate == 510_000)
    }

    @Test("RFC 6716 §2.1.8: at a constant rate all packets are of one length, at any other they are not", arguments: [false, true])
    func constantRate(isConstant: Bool) throws {
        let lengths = Set(try Self.payloads(OpusSettings(constantBitrate: isConstant)).map(\.count))
        #expect(isConstant ? lengths == [50] : lengths.count > 10, "\(lengths)")
    }

    @Test(
        "RFC 6716 §3.1, table 2: the bandwidth is the widest that can be played, and no wider",
        arguments: [
            (nil, 20_000), (8000, 4000), (11_025, 6000), (12_000, 6000), (16_000, 8000), (22_050, 12_000), (24_000, 12_000),
            (44_100, 20_000), (48_000, 20_000), (0, 4000),
        ] as [(Int?, Int)])
    func bandwidth(playbackRate: Int?, hertz: Int) throws {
        let payloads = try Self.payloads(OpusSettings(bitrate: 64_000, playbackRate: playbackRate), rate: 48_000, seconds: 1)
        #expect(Set(payloads.map(Self.bandwidth)) == [hertz])
    }

    /// What the five bits of the configuration say, in Hz.
    private static func bandwidth(_ payload: [UInt8]) -> Int {
        switch (payload.first ?? 0) >> 3 {
        case 0...3, 16...19: 4000
        case 4...7: 6000
        case 8...11, 20...23: 8000
        case 12...13, 24...27: 12_000
        default: 20_000
        }
    }

    @Test(
        "RFC 6716 §4.5: of two channels both are heard in the one that is decoded, at half their level each",
        arguments: [8000, 16_000, 48_000])
    func twoChannels(rate: Int) throws {
        let (left, right) = (Sine.samples(500, rate: 8000, count: 8000), Sine.samples(1500, rate: 8000, count: 8000))
        let stream = try OggOpusStream(channels: 2, bitrate: 32_000, serial: 1)
        var file: [UInt8] = []
        stream.begin(into: &file)
        stream.append(zip(left, right).flatMap { [$0, $1] }, into: &file)
        stream.finish(into: &file)
        let packets = Ogg.packets(file)
        // §3.1: the bit behind the configuration says that there are two.
        #expect(packets.count >= 50 && packets.allSatisfy { ($0.first ?? 0) & 4 != 0 })
        var decoder = try Decoder(.opus, rate: rate)
        let heard = decoder.sound(packets)
        #expect(heard.count == packets.count * rate / 50)
        for frequency in [500.0, 1500] {
            let fit = Sine.fit(heard.dropFirst(rate / 4).prefix(rate / 2), frequency, rate: rate)
            #expect(abs(Sine.decibels(fit.amplitude, 4000)) < 1.5, "\(frequency) Hz")
        }
    }
}
