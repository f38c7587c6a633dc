import Audio
import Codecs
import Testing

@Suite("What is encoded is heard again")
struct RoundTripTests {
    @Test("A tone keeps its frequency, and its level within 1 dB, through every codec at every rate of its", arguments: Coding.all)
    func tone(coding: Coding, rate: Int) throws {
        var encoder = try Encoder(coding, rate: rate)
        var decoder = try Decoder(coding, rate: rate)
        let sound = Sine.samples(600, rate: rate, count: rate)
        let heard = decoder.sound(encoder.payloads(sound))
        #expect(heard.count == sound.count)
        let fit = Sine.fit(heard.suffix(rate / 2), 600, rate: rate)
        #expect(abs(Sine.decibels(fit.amplitude, 8000)) < 1)
        #expect(fit.ratio > (coding == .g729 || coding == .gsm ? 8 : 20), "the tone stands out by \(fit.ratio) dB")
    }

    @Test(
        "G.711: every code is decoded and encoded again to itself, or to its twin of the same value",
        arguments: [Coding.pcmu, .pcma])
    func everyCode(coding: Coding) throws {
        var decoder = try Decoder(coding)
        var encoder = try Encoder(coding)
        let codes = (0...255).map { UInt8($0) }
        let values = decoder.sound(codes)
        let law = coding == .pcmu ? G711.Law.ulaw : .alaw
        #expect(values == codes.map { G711.decode($0, law) })
        var memory = [UInt8](repeating: 0, count: 256)
        var span = memory.mutableSpan
        #expect(encoder.encode(values.span, into: &span) == 256)
        #expect(decoder.sound(memory) == values)
    }

    @Test("G.711: every sample comes back within half a step of its segment", arguments: [Coding.pcmu, .pcma])
    func everySample(coding: Coding) throws {
        var encoder = try Encoder(coding)
        var decoder = try Decoder(coding)
        for start in stride(from: -32_768, to: 32_768, by: 160) {
            let sound = (0..<160).map { Int16(clamping: start + $0) }
            let heard = decoder.sound(encoder.payloads(sound).flatMap { $0 })
            for (sample, back) in zip(sound, heard) {
                let error = abs(Int(sample) - Int(back))
                // A segment has sixteen steps and begins at half its end, µ-law's shifted by 132; what overloads is clipped.
                let clipped = abs(Int(sample)) > 32_124 ? 644 : 0
                #expect(error <= max(16, (abs(Int(sample)) + 132) / 31) + clipped, "\(sample) became \(back)")
            }
        }
    }

    @Test("RFC 3551 §4.5.11: L16 is the sample's two bytes, the higher one first")
    func linear() throws {
        var encoder = try Encoder(.linear(rate: 8000))
        let sound: [Int16] = [0x1234, -2] + Array(repeating: 0, count: 158)
        let payload = try #require(encoder.payloads(sound).first)
        #expect(payload.prefix(4) == [0x12, 0x34, 0xff, 0xfe])
        var decoder = try Decoder(.linear(rate: 8000))
        #expect(decoder.sound(payload) == sound)
    }

    @Test("G.722 at 8 kHz is the lower band of what it is at 16 kHz, both ways")
    func lowerBand() throws {
        var wide = try Encoder(.g722, rate: 16000)
        var narrow = try Encoder(.g722, rate: 8000)
        var toWide = try Decoder(.g722, rate: 16000)
        var toNarrow = try Decoder(.g722, rate: 8000)
        let low = toNarrow.sound(wide.payloads(Sine.samples(1000, rate: 16000, count: 16000)))
        #expect(low.count == 8000)
        #expect(abs(Sine.decibels(Sine.fit(low.suffix(4000), 1000, rate: 8000).amplitude, 8000)) < 1)
        let high = toWide.sound(narrow.payloads(Sine.samples(1000, rate: 8000, count: 8000)))
        #expect(high.count == 16000)
        let fit = Sine.fit(high.suffix(8000), 1000, rate: 16000)
        #expect(abs(Sine.decibels(fit.amplitude, 8000)) < 1)
        #expect(fit.ratio > 20)
    }

    @Test(
        "RFC 6716 §3.2.5: Opus packets of 10 to 60 ms are decoded at every rate", arguments: [10, 20, 40, 60], [8000, 16000, 48000])
    func opusPacketTimes(milliseconds: Int, rate: Int) throws {
        var encoder = try Encoder(.opus, rate: rate)
        var decoder = try Decoder(.opus, rate: 8000)
        let payloads = encoder.payloads(Sine.samples(500, rate: rate, count: rate * 600 / 1000), milliseconds: milliseconds)
        #expect(payloads.allSatisfy { decoder.samples(in: $0.span) == milliseconds * 8 })
        let heard = decoder.sound(payloads)
        #expect(heard.count == 4800)
        #expect(abs(Sine.decibels(Sine.fit(heard.suffix(2400), 500, rate: 8000).amplitude, 8000)) < 1)
    }

    @Test("A codec is not had at a rate that is none of its")
    func rates() {
        #expect(throws: CodecError.unsupportedRate(16000)) { _ = try Decoder(.pcmu, rate: 16000) }
        #expect(throws: CodecError.unsupportedRate(11025)) { _ = try Encoder(.opus, rate: 11025) }
    }

    @Test("RFC 4855 §3: encodings are known by name whatever its case, and only as they are registered")
    func names() {
        #expect(Coding(name: "OPUS", clockRate: 48000, channels: 2) == .opus)
        #expect(Coding(name: "opus", clockRate: 48000) == nil)
        #expect(Coding(name: "g722", clockRate: 8000) == .g722)
        #expect(Coding(name: "G722", clockRate: 16000) == nil)
        #expect(Coding(name: "L16", clockRate: 44100) == .linear(rate: 44100))
        #expect(Coding(name: "L16", clockRate: 44100, channels: 2) == nil)
        #expect(Coding(name: "speex", clockRate: 8000) == nil)
    }

    @Test(
        "A packet is as long as was wished where the coding can, else shorter",
        arguments: [
            (Coding.opus, 30, 20), (.opus, 60, 60), (.gsm, 30, 20), (.gsm, 10, 20), (.g729, 30, 30), (.pcmu, 200, 60),
            (.pcmu, 0, 10),
            (.linear(rate: 16000), 60, 40), (.linear(rate: 48000), 20, 10),
        ])
    func packetTime(coding: Coding, wished: Int, given: Int) {
        #expect(coding.packetTime(wished: wished) == given)
    }
}
