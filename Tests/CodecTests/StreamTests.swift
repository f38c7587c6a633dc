import Codecs
import Deadlines
import RTP
import Testing

@Suite("A transcoded stream over a bad network")
struct StreamTests {
    static let start = Instant(nanoseconds: 5_000_000_000)

    @Test(
        "Loss, jitter, reordering and duplicates: one packet leaves for each 20 ms, time is kept, the tone goes on",
        arguments: 0..<20)
    func badNetwork(seed: Int) throws {
        let (source, target) = [(Coding.pcmu, Coding.opus), (.opus, .pcmu), (.g722, .pcmu), (.g729, .g722)][seed % 4]
        var random = Seeded(seed)
        var encoder = try Encoder(source)
        let payloads = encoder.payloads(Sine.samples(440, rate: encoder.rate, count: encoder.rate * 10))
        var arrivals: [(number: Int, at: Double)] = []
        for number in payloads.indices {
            let isEdge = number == 0 || number == payloads.count - 1
            if !isEdge, Int.random(in: 0..<20, using: &random) == 0 { continue }
            let at = Double(number * 20) + (isEdge ? 0 : Double.random(in: 0..<35, using: &random))
            arrivals.append((number, at))
            if Int.random(in: 0..<30, using: &random) == 0 {
                arrivals.append((number, at + Double.random(in: 0..<50, using: &random)))
            }
        }
        arrivals.sort { $0.at < $1.at }

        var stream = TranscodingStream(
            try Transcoder(from: source, to: target, origin: Timestamp(0)), clockRate: source.clockRate)
        var packets = TranscodedPackets()
        var sent: [Sent] = []
        for (number, at) in arrivals {
            let now = Self.start + Interval(nanoseconds: Int64(at * 1e6))
            while let deadline = stream.deadline, deadline <= now {
                stream.expire(now: deadline, into: &packets)
                sent += packets.sent()
            }
            let payload = payloads[number]
            stream.receive(
                .sound, payload.span, sequence: SequenceNumber(UInt16(truncatingIfNeeded: 65_400 + number)),
                timestamp: Timestamp(UInt32(truncatingIfNeeded: number * source.clockRate / 50)), now: now, into: &packets)
            sent += packets.sent()
        }
        while let deadline = stream.deadline {
            stream.expire(now: deadline, into: &packets)
            sent += packets.sent()
        }

        let ticks = UInt32(target.clockRate / 50)
        #expect(sent.count == payloads.count)
        #expect(sent.map(\.timestamp) == sent.indices.map { UInt32($0) * ticks })
        #expect(sent.filter(\.marker).count == 1)
        #expect(stream.counters.lost > 0)
        #expect(stream.counters.reordered > 0)
        var decoder = try Decoder(target)
        let heard = decoder.sound(sent.map(\.payload))
        // G.729 keeps a steady tone's level in its memory alone, so that each loss lowers it for long (by 8 dB here, in the library itself).
        let level = Sine.decibels(Sine.rootMeanSquare(heard.dropFirst(decoder.rate)), 8000 * 0.5.squareRoot())
        #expect(abs(level) < (source == .g729 ? 9 : 2))
    }

    @Test("In order nothing is delayed: each packet leaves at the call that brought it")
    func noDelay() throws {
        var encoder = try Encoder(.g722)
        var stream = TranscodingStream(try Transcoder(from: .g722, to: .pcmu, origin: Timestamp(0)), clockRate: 8000)
        var packets = TranscodedPackets()
        for (number, payload) in encoder.payloads(Sine.samples(440, rate: 16000, count: 16000)).enumerated() {
            // An hour between two packets is no reason to wait.
            let arrival = stream.receive(
                .sound, payload.span, sequence: SequenceNumber(UInt16(number)), timestamp: Timestamp(UInt32(number * 160)),
                now: Self.start + .seconds(3600 * number), into: &packets)
            #expect(arrival == .next(lost: 0))
            #expect(packets.count == 1)
            #expect(stream.deadline == nil)
        }
    }

    @Test("RFC 4733 §2.5.1: events among the sound take their sequence numbers and are no loss")
    func events() throws {
        var encoder = try Encoder(.pcmu)
        let payloads = encoder.payloads(Sine.samples(440, rate: 8000, count: 3200))
        var stream = TranscodingStream(try Transcoder(from: .pcmu, to: .pcma, origin: Timestamp(0)), clockRate: 8000)
        var packets = TranscodedPackets()
        var sent: [Sent] = []
        for number in 0..<20 {
            let isEvent = (8..<12).contains(number)
            let payload = isEvent ? [1, 10, 0, 160] : payloads[number]
            stream.receive(
                isEvent ? .event : .sound, payload.span, sequence: SequenceNumber(UInt16(number)),
                timestamp: Timestamp(UInt32(isEvent ? 8 * 160 : number * 160)), now: Self.start + .milliseconds(20 * number),
                into: &packets)
            sent += packets.sent()
        }
        #expect(sent.count == 16)
        #expect(stream.counters.lost == 0)
        #expect(stream.concealed == 0)
        #expect(sent.filter(\.marker).map(\.timestamp) == [0, 12 * 160])
    }

    @Test("A keeper of time that slept does not send a burst of noise")
    func noBurst() throws {
        var stream = TranscodingStream(try Transcoder(from: .pcmu, to: .pcma, origin: Timestamp(0)), clockRate: 8000)
        var packets = TranscodedPackets()
        let (voice, description) = ([UInt8](repeating: 0xff, count: 160), [UInt8](repeating: 60, count: 1))
        stream.receive(.sound, voice.span, sequence: SequenceNumber(0), timestamp: Timestamp(0), now: Self.start, into: &packets)
        stream.receive(
            .comfortNoise, description.span, sequence: SequenceNumber(1), timestamp: Timestamp(160), now: Self.start, into: &packets
        )
        let late = Self.start + .milliseconds(900)
        stream.expire(now: late, into: &packets)
        #expect(packets.count == 1)
        #expect(stream.deadline == late + .milliseconds(20))
    }

    @Test("RFC 3550 §8: another source is taken from its first packet on, whatever its numbers, and what was counted stays")
    func anotherSource() throws {
        var stream = TranscodingStream(try Transcoder(from: .pcmu, to: .pcma, origin: Timestamp(0)), clockRate: 8000)
        var packets = TranscodedPackets()
        let voice = [UInt8](repeating: 0x90, count: 160)
        for number in [0, 0, 2, 4] {
            stream.receive(
                .sound, voice.span, sequence: SequenceNumber(UInt16(number)), timestamp: Timestamp(UInt32(number * 160)),
                now: Self.start + .milliseconds(20 * number), into: &packets)
        }
        stream.interrupt(elapsed: .milliseconds(100), into: &packets)
        #expect(stream.deadline == nil)
        let arrival = stream.receive(
            .sound, voice.span, sequence: SequenceNumber(30_000), timestamp: Timestamp(7), now: Self.start + .milliseconds(200),
            into: &packets)
        #expect(arrival == .next(lost: 0))
        #expect(packets.sent().map(\.timestamp) == [160 + 800])
        #expect(packets.sent().first?.marker == true)
        #expect(stream.counters.duplicates == 1)
        #expect(stream.counters.received == 4)
    }
}
