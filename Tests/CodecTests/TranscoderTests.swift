import Codecs
import RTP
import Testing

@Suite("From one coding and packet length into another")
struct TranscoderTests {
    static let pairs: [(Coding, Coding)] =
        Coding.kinds.flatMap { coding in
            coding == .pcmu ? [(coding, coding)] : [(coding, Coding.pcmu), (.pcmu, coding)]
        } + [
            (.opus, .g722), (.g722, .opus), (.opus, .opus), (.g722, .g729), (.linear(rate: 44100), .opus),
            (.opus, .linear(rate: 44100)),
        ]

    @Test("A tone passes from every codec to every other at its level", arguments: pairs)
    func tone(source: Coding, target: Coding) throws {
        var encoder = try Encoder(source)
        let time = source.packetTime(wished: 20)
        var leg = try Leg(from: source, to: target)
        for payload in encoder.payloads(Sine.samples(600, rate: encoder.rate, count: encoder.rate), milliseconds: time) {
            leg.send(payload, milliseconds: time)
        }
        let heard = try leg.heard(as: target)
        let rate = try Decoder(target).rate
        #expect(heard.count >= rate - rate * 30 / 1000)
        let fit = Sine.fit(heard.suffix(rate / 2), 600, rate: rate)
        #expect(abs(Sine.decibels(fit.amplitude, 8000)) < 1.5)
        #expect(fit.ratio > ([source, target].contains { $0 == .g729 || $0 == .gsm } ? 8 : 18), "\(fit.ratio) dB")
    }

    @Test(
        "Every packet length becomes every other; timestamps follow each other in the outgoing clock", arguments: [10, 20, 40, 60],
        [10, 20, 30, 40, 60])
    func packetTimes(incoming: Int, outgoing: Int) throws {
        for (source, target) in [(Coding.pcmu, Coding.opus), (.opus, .pcmu), (.pcma, .g722), (.g729, .pcmu)] {
            var encoder = try Encoder(source)
            var leg = try Leg(from: source, to: target, settings: .init(packetTime: outgoing))
            for payload in encoder.payloads(
                Sine.samples(440, rate: encoder.rate, count: encoder.rate * 1200 / 1000), milliseconds: incoming)
            {
                leg.send(payload, milliseconds: incoming)
            }
            let time = target.packetTime(wished: outgoing)
            let (sent, packetTime) = (leg.sent, leg.transcoder.packetTime)
            #expect(packetTime == time)
            #expect(sent.count == 1200 / time)
            let ticks = target.clockRate * time / 1000
            #expect(sent.map(\.timestamp) == sent.indices.map { 1000 + UInt32($0 * ticks) })
            #expect(sent.map(\.marker) == sent.indices.map { $0 == 0 })
            let decoder = try Decoder(target)
            #expect(sent.allSatisfy { decoder.samples(in: $0.payload.span) == decoder.rate * time / 1000 })
        }
    }

    @Test("RFC 3551 §4.1: a pause stays a pause: the timestamp goes on, the first packet after it is marked")
    func pause() throws {
        var encoder = try Encoder(.g722)
        let payloads = encoder.payloads(Sine.samples(440, rate: 16000, count: 16000))
        var leg = try Leg(from: .g722, to: .opus)
        for payload in payloads[..<10] { leg.send(payload, milliseconds: 20) }
        leg.wait(milliseconds: 700)
        for payload in payloads[10..<20] { leg.send(payload, milliseconds: 20) }
        let sent = leg.sent
        #expect(sent.count == 20)
        #expect(sent[10].timestamp == 1000 + 900 * 48)
        #expect(sent.map(\.marker) == (0..<20).map { $0 == 0 || $0 == 10 })
    }

    @Test("A packet that had begun before a pause is ended and sent, and time is kept")
    func pauseWithinPacket() throws {
        var encoder = try Encoder(.pcmu)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 8000))
        var leg = try Leg(from: .pcmu, to: .pcma, settings: .init(packetTime: 60))
        for payload in payloads[..<4] { leg.send(payload, milliseconds: 20) }
        leg.wait(milliseconds: 500)
        for payload in payloads[4..<7] { leg.send(payload, milliseconds: 20) }
        #expect(leg.sent.map(\.timestamp) == [1000, 1480, 5640] as [UInt32])
        #expect(leg.sent.map(\.marker) == [true, false, true])
    }

    @Test("A clock that is set anew, back or far ahead, costs no sound and no time", arguments: [-1_000_000, 40_000_000, -4000])
    func clockSetAnew(jump: Int) throws {
        var encoder = try Encoder(.pcmu)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 3200))
        var leg = try Leg(from: .pcmu, to: .opus)
        for payload in payloads[..<10] { leg.send(payload, milliseconds: 20) }
        leg.timestamp = leg.timestamp &+ UInt32(truncatingIfNeeded: jump)
        for payload in payloads[10..<20] { leg.send(payload, milliseconds: 20) }
        let wanted: [UInt32] = (0..<20).map { 1000 + UInt32($0) * 960 }
        #expect(leg.sent.map(\.timestamp) == wanted)
    }

    @Test("RFC 4733 §2.3: an event begins in the outgoing clock where it began in the incoming one")
    func eventTime() throws {
        var encoder = try Encoder(.pcmu)
        var leg = try Leg(from: .pcmu, to: .opus)
        for payload in encoder.payloads(Sine.samples(440, rate: 8000, count: 1600)) { leg.send(payload, milliseconds: 20) }
        let (start, now) = (leg.timestamp, leg.transcoder.outgoing(Timestamp(leg.timestamp)))
        let later = leg.transcoder.outgoing(Timestamp(start &+ 800))
        #expect(now.value == 1000 + 9600)
        #expect(later.value == 1000 + 9600 + 4800)
    }

    @Test(
        "A payload that is none of the coding's is counted and makes nothing",
        arguments: [
            (Coding.gsm, [UInt8](repeating: 0, count: 33)), (.gsm, [0xd0]), (.g729, [1, 2, 3]), (.linear(rate: 8000), [1]),
            (.opus, []), (.opus, [0xff]),
            (.pcmu, []), (.pcmu, [UInt8](repeating: 0, count: 1400)),
        ])
    func damaged(coding: Coding, payload: [UInt8]) throws {
        var leg = try Leg(from: coding, to: .pcma)
        leg.send(payload, milliseconds: 20)
        let (sent, damaged) = (leg.sent, leg.transcoder.damaged)
        #expect(sent.isEmpty)
        #expect(damaged == 1)
    }

    @Test("Another source is carried on: time goes on by what has passed, the first packet is marked")
    func interruption() throws {
        var encoder = try Encoder(.pcmu)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 3200))
        var leg = try Leg(from: .pcmu, to: .pcma)
        for payload in payloads[..<5] { leg.send(payload, milliseconds: 20) }
        leg.transcoder.interrupt(afterMilliseconds: 200, into: &leg.packets)
        leg.timestamp = 7
        for payload in payloads[5..<10] { leg.send(payload, milliseconds: 20) }
        #expect(leg.sent[5].timestamp == 1000 + 800 + 1600)
        #expect(leg.sent[5].marker)
    }
}
