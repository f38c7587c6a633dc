import Codecs
import Deadlines
import RTP
import Testing

@Suite("Pauses and comfort noise")
struct PauseTests {
    @Test(
        "RFC 3389 §3.1: noise has the level that was described, whatever its spectrum", arguments: [20, 40, 60],
        [[UInt8](), [100], [180, 90], [60, 127, 200, 110]])
    func level(dBov: Int, spectrum: [UInt8]) {
        var noise = ComfortNoise()
        let description = [UInt8(dBov)] + spectrum
        noise.describe(description.span)
        var memory = [Int16](repeating: 0, count: 16_000)
        var span = memory.mutableSpan
        noise.fill(&span, count: 16_000)
        #expect(abs(Sine.decibels(Sine.rootMeanSquare(memory.suffix(12_000)), 32767) + Double(dBov)) < 1.5)
    }

    @Test("RFC 3389 §3.2: a reflection coefficient tilts the spectrum")
    func spectrum() {
        func correlation(_ coefficient: UInt8) -> Double {
            var noise = ComfortNoise()
            let description = [30, coefficient]
            noise.describe(description.span)
            var memory = [Int16](repeating: 0, count: 16_000)
            var span = memory.mutableSpan
            noise.fill(&span, count: 16_000)
            let sound = memory.suffix(12_000).map(Double.init)
            return zip(sound, sound.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / sound.reduce(0) { $0 + $1 * $1 }
        }
        // A first reflection of k makes neighbours correlate by -k.
        #expect(abs(correlation(127 + 64) + 0.5) < 0.05)
        #expect(abs(correlation(127 - 64) - 0.5) < 0.05)
    }

    @Test("Any description makes noise within range, and an empty one none", arguments: 0..<50)
    func hostileDescriptions(seed: Int) {
        var random = Seeded(seed)
        var noise = ComfortNoise()
        let isNone = noise.describe([UInt8]().span)
        #expect(!isNone)
        for _ in 0..<20 {
            let payload = (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let isDescription = noise.describe(payload.span)
            #expect(isDescription)
            var memory = [Int16](repeating: 0, count: 800)
            var span = memory.mutableSpan
            noise.fill(&span, count: 800)
            #expect(memory.allSatisfy { $0 > -32768 })
        }
    }

    @Test("A described pause is filled with noise packet by packet, and time is right when sound returns")
    func filled() throws {
        var encoder = try Encoder(.pcmu)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 3200))
        var leg = try Leg(from: .pcmu, to: .pcma)
        for payload in payloads[..<5] { leg.send(payload, milliseconds: 20) }
        leg.describeSilence([50])
        for _ in 0..<8 { leg.fill() }
        leg.wait(milliseconds: 180)
        for payload in payloads[5..<10] { leg.send(payload, milliseconds: 20) }
        #expect(leg.sent.map(\.timestamp) == (0..<19).map { 1000 + UInt32($0) * 160 })
        #expect(leg.sent.dropFirst().allSatisfy { !$0.marker })
        let heard = try leg.heard(as: .pcma)
        #expect(abs(Sine.decibels(Sine.rootMeanSquare(heard[1600..<2000]), 32767) + 50) < 3)
        #expect(abs(Sine.decibels(Sine.rootMeanSquare(heard[2240..<3000]), 8000 * 0.5.squareRoot())) < 1)
    }

    @Test("A pause filled too far gives the time back in the next one")
    func surplus() throws {
        var encoder = try Encoder(.pcmu)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 3200))
        var leg = try Leg(from: .pcmu, to: .pcma)
        for payload in payloads[..<2] { leg.send(payload, milliseconds: 20) }
        leg.describeSilence([50])
        for _ in 0..<3 { leg.fill() }
        leg.wait(milliseconds: 20)
        leg.send(payloads[2], milliseconds: 20)
        #expect(leg.sent.last?.timestamp == UInt32(1800))
        leg.wait(milliseconds: 400)
        leg.send(payloads[3], milliseconds: 20)
        #expect(leg.sent.last?.timestamp == UInt32(4840))
    }

    @Test("Opus under DTX: what the encoder leaves out is not sent, and what follows is marked")
    func discontinuous() throws {
        var leg = try Leg(from: .pcmu, to: .opus, settings: .init(opus: OpusSettings(discontinuous: true)))
        var encoder = try Encoder(.pcmu)
        let sound =
            Sine.samples(440, rate: 8000, count: 8000) + Array(repeating: 0, count: 16_000)
            + Sine.samples(440, rate: 8000, count: 8000)
        for payload in encoder.payloads(sound) { leg.send(payload, milliseconds: 20) }
        let sent = leg.sent
        #expect(sent.count < 170)
        #expect(sent.count > 100)
        #expect(sent.last?.timestamp == UInt32(192_040))
        #expect(sent.contains { $0.marker && $0.timestamp > 1000 + 48_000 })
    }

    @Test("G.729 annex B: after a description of silence noise goes on, far below speech")
    func silenceInsertion() throws {
        var encoder = try Encoder(.g729)
        var decoder = try Decoder(.g729)
        _ = decoder.sound(encoder.payloads(Sine.samples(440, rate: 8000, count: 8000)))
        let payload: [UInt8] = [0x55, 0x20]
        #expect(decoder.samples(in: payload.span) == 80)
        let isPause = decoder.endsInPause(payload.span)
        #expect(isPause)
        #expect(decoder.sound(payload).count == 80)
        #expect(decoder.concealed(800).count == 800)
        #expect(Sine.rootMeanSquare(decoder.concealed(800)) < 3000)
        let voice = try #require(encoder.payloads(Sine.samples(440, rate: 8000, count: 160)).first)
        #expect(decoder.sound(voice + payload).count == 240)
    }

    @Test("A stream fills a pause by its deadlines, a packet each 20 ms, for as long as it was told to")
    func stream() throws {
        var encoder = try Encoder(.pcmu)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 3200))
        var stream = TranscodingStream(
            try Transcoder(from: .pcmu, to: .opus, origin: Timestamp(0)), clockRate: 8000,
            settings: .init(longestPause: .milliseconds(500)))
        var packets = TranscodedPackets()
        var now = Instant(nanoseconds: 1_000_000_000)
        let first = payloads[0]
        stream.receive(.sound, first.span, sequence: SequenceNumber(1), timestamp: Timestamp(0), now: now, into: &packets)
        #expect(packets.count == 1)
        #expect(stream.deadline == nil)
        let description: [UInt8] = [60]
        now = now + .milliseconds(20)
        stream.receive(
            .comfortNoise, description.span, sequence: SequenceNumber(2), timestamp: Timestamp(160), now: now, into: &packets)
        #expect(packets.count == 0)
        let began = now
        var times: [Double] = []
        while let deadline = stream.deadline, times.count < 100 {
            now = deadline
            stream.expire(now: now, into: &packets)
            if packets.count > 0 { times.append((now - began).milliseconds) }
        }
        #expect(times == (2...24).map { Double($0) * 20 })
    }

    @Test("RFC 6716 §2.1.9: a single Opus packet within a pause refreshes its noise and does not end it; two in a row do")
    func refreshed() throws {
        var encoder = try Encoder(.opus, rate: 8000)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 3200))
        var leg = try Leg(from: .opus, to: .pcmu)
        leg.send(payloads[0], milliseconds: 20)
        leg.send([0x08], milliseconds: 20)
        let first = leg.pausing()
        #expect(first)
        leg.wait(milliseconds: 380)
        leg.send(payloads[1], milliseconds: 20)
        let second = leg.pausing()
        #expect(second)
        leg.fill()
        leg.wait(milliseconds: 380)
        leg.send(payloads[2], milliseconds: 20)
        let third = leg.pausing()
        #expect(third)
        leg.send(payloads[3], milliseconds: 20)
        let last = leg.pausing()
        #expect(!last)
        #expect(leg.sent.last?.timestamp == UInt32(7720))
    }
}
