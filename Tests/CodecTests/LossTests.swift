import Codecs
import RTP
import Testing

@Suite("Losses are hidden")
struct LossTests {
    @Test(
        "A lost packet leaves no click: no step is larger than the sound's own, and the tone goes on",
        arguments: [
            Coding.pcmu, .pcma, .g722, .linear(rate: 8000), .linear(rate: 16000), .linear(rate: 44100),
        ], [210.0, 440, 1004])
    func noClick(coding: Coding, frequency: Double) throws {
        var encoder = try Encoder(coding)
        var decoder = try Decoder(coding)
        let time = coding.packetTime(wished: 20)
        let frame = encoder.rate * time / 1000
        var heard: [Int16] = []
        for (index, payload) in encoder.payloads(
            Sine.samples(frequency, rate: encoder.rate, count: encoder.rate), milliseconds: time
        ).enumerated() {
            heard += index % 7 == 6 ? decoder.concealed(frame) : decoder.sound(payload)
        }
        let clean = Sine.largestStep(Sine.samples(frequency, rate: encoder.rate, count: encoder.rate))
        #expect(Sine.largestStep(heard.dropFirst(frame)) < clean * 3 / 2 + 400)
        let lost = heard[(6 * frame)..<(7 * frame)]
        #expect(abs(Sine.decibels(Sine.rootMeanSquare(lost), 8000 * 0.5.squareRoot())) < 3)
        #expect(heard.count == encoder.rate * (1000 / time * time) / 1000)
    }

    @Test("Opus, G.729 and GSM go on through a loss at about the level", arguments: [Coding.opus, .g729, .gsm])
    func ownConcealment(coding: Coding) throws {
        var encoder = try Encoder(coding, rate: 8000)
        var decoder = try Decoder(coding, rate: 8000)
        var heard: [Int16] = []
        for (index, payload) in encoder.payloads(Sine.samples(440, rate: 8000, count: 8000)).enumerated() {
            heard += index == 30 ? decoder.concealed(160) : decoder.sound(payload)
        }
        #expect(heard.count == 8000)
        #expect(abs(Sine.decibels(Sine.rootMeanSquare(heard[4800..<4960]), 8000 * 0.5.squareRoot())) < 4)
    }

    @Test("A long loss fades to silence within 60 ms", arguments: [Coding.pcmu, .g722, .gsm])
    func fades(coding: Coding) throws {
        var encoder = try Encoder(coding)
        var decoder = try Decoder(coding)
        _ = decoder.sound(encoder.payloads(Sine.samples(440, rate: encoder.rate, count: encoder.rate / 5)))
        let (first, rest) = (decoder.concealed(encoder.rate * 60 / 1000), decoder.concealed(encoder.rate / 10))
        #expect(Sine.rootMeanSquare(first) > 1000)
        #expect(rest.allSatisfy { $0 == 0 })
    }

    @Test("RFC 6716 §2.1.7: as Opus is set up here, most packets of speech carry the one before", arguments: [8000, 16000])
    func redundancy(rate: Int) throws {
        var encoder = try Encoder(.opus, rate: rate)
        let payloads = encoder.payloads(Sine.voice(rate: rate, count: rate * 2))
        let carrying = payloads.count(where: Self.isRedundant)
        #expect(carrying * 2 > payloads.count, "\(carrying) of \(payloads.count)")
    }

    @Test("RFC 6716 §2.1.7: none does where that is not asked for", arguments: [8000, 16000])
    func noRedundancy(rate: Int) throws {
        var encoder = try Encoder(.opus, rate: rate, opus: OpusSettings(forwardErrorCorrection: false))
        let carrying = encoder.payloads(Sine.voice(rate: rate, count: rate * 2)).count(where: Self.isRedundant)
        #expect(carrying == 0)
    }

    /// SILK, one channel, 20 ms in one frame (§3.1); behind the bit for activity is the one for the redundancy (§4.2.4).
    private static func isRedundant(_ payload: [UInt8]) -> Bool {
        payload.count > 1 && payload[0] < 0x60 && payload[0] & 3 == 0 && payload[1] & 0x40 != 0
    }

    @Test("RFC 6716 §2.1.7: a lost Opus packet is made good from the copy in the next")
    func forwardErrorCorrection() throws {
        // A tone that changes in the lost packet: only a copy can know it.
        let rate = 16000
        let sound = Sine.samples(400, rate: rate, count: rate / 2) + Sine.samples(900, rate: rate, count: rate / 2)
        var encoder = try Encoder(.opus, rate: rate, opus: OpusSettings(bitrate: 32_000, expectedLoss: 20))
        let payloads = encoder.payloads(sound)
        func heard(recovering: Bool) throws -> [Int16] {
            var decoder = try Decoder(.opus, rate: 8000)
            var all: [Int16] = []
            for (index, payload) in payloads.enumerated() {
                if index == 25 { continue }
                if index == 26 { all += recovering ? decoder.recovered(160, from: payload) : decoder.concealed(160) }
                all += decoder.sound(payload)
            }
            return all
        }
        // The second half of the packet in which the tone changed.
        let place = (25 * 160 + 90)..<(26 * 160)
        let (good, poor) = (try heard(recovering: true), try heard(recovering: false))
        #expect(good.count == 8000)
        let (copied, guessed) = (Sine.fit(good[place], 900, rate: 8000), Sine.fit(poor[place], 900, rate: 8000))
        #expect(abs(Sine.decibels(copied.amplitude, 8000)) < 3)
        #expect(copied.ratio > 6)
        #expect(guessed.ratio < 0, "a guess is not the new tone")
    }

    @Test(
        "A transcoder conceals what was lost: as many packets leave as were sent, in order of time, unmarked",
        arguments: TranscoderTests.pairs)
    func concealedInTranscoding(source: Coding, target: Coding) throws {
        var encoder = try Encoder(source)
        let time = source.packetTime(wished: 20)
        var leg = try Leg(from: source, to: target)
        var random = Seeded(7)
        var lost = 0
        let payloads = encoder.payloads(Sine.samples(440, rate: encoder.rate, count: encoder.rate * 2), milliseconds: time)
        for (index, payload) in payloads.enumerated() {
            if index > 5, index < payloads.count - 1, lost < 3, Int.random(in: 0..<8, using: &random) == 0 {
                lost += 1
                leg.wait(milliseconds: time)
                continue
            }
            leg.send(payload, milliseconds: time, lost: lost)
            lost = 0
        }
        let sent = leg.sent
        let ticks = target.clockRate * leg.transcoder.packetTime / 1000
        #expect(abs(sent.count - 2000 / leg.transcoder.packetTime) <= 2)
        #expect(sent.map(\.timestamp) == sent.indices.map { 1000 + UInt32($0 * ticks) })
        #expect(sent.dropFirst().allSatisfy { !$0.marker })
        #expect(leg.transcoder.concealed > 0)
    }

    @Test("A gap too long to hide is a pause, not seconds of made-up sound")
    func longGap() throws {
        var encoder = try Encoder(.pcmu)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 8000))
        var leg = try Leg(from: .pcmu, to: .pcma)
        for payload in payloads[..<5] { leg.send(payload, milliseconds: 20) }
        leg.wait(milliseconds: 3000)
        leg.send(payloads[5], milliseconds: 20, lost: 150)
        #expect(leg.sent.count == 6)
        #expect(leg.sent[5].timestamp == 1000 + 3100 * 8)
        #expect(leg.sent[5].marker)
    }
}
