import Audio
import Deadlines
import RTP
import Testing

@testable import MediaRelay

/// A recording under test: packets go in with the time they arrive at, samples come out.
private struct RecordingBench {
    var recording: Recording
    var bytes: [UInt8] = []
    private let began = Instant(nanoseconds: 5_000_000_000)

    init(_ terms: Recording.Terms = .init()) throws { recording = try Recording(terms, now: began) }

    private func at(_ milliseconds: Int) -> Instant { began + .milliseconds(milliseconds) }

    private static func packet(_ payloadType: PayloadType, _ number: Int, _ timestamp: UInt32, _ payload: [UInt8], ssrc: UInt32) -> [UInt8] {
        var packet: [UInt8] = []
        Header(
            payloadType: payloadType, sequence: SequenceNumber(UInt16(truncatingIfNeeded: number)), timestamp: Timestamp(timestamp),
            ssrc: SSRC(ssrc)
        ).append(to: &packet)
        return packet + payload
    }

    /// Twenty milliseconds of this value.
    mutating func sound(_ value: Int16, _ timestamp: UInt32, _ side: Recording.Side, at milliseconds: Int, ssrc: UInt32 = 1) {
        let code = G711.encode(value, .ulaw)
        let packet = Self.packet(.pcmu, 0, timestamp, Array(repeating: code, count: 160), ssrc: ssrc)
        recording.packet(packet.span, side, arrived: at(milliseconds))
    }

    mutating func sound(_ samples: [Int16], _ timestamp: UInt32, _ side: Recording.Side, at milliseconds: Int) {
        let packet = Self.packet(.pcmu, 0, timestamp, G711.encode(samples, .ulaw), ssrc: 1)
        recording.packet(packet.span, side, arrived: at(milliseconds))
    }

    mutating func key(_ timestamp: UInt32, duration: UInt16, _ side: Recording.Side, at milliseconds: Int) {
        var payload: [UInt8] = []
        TelephoneEvent(code: 5, isEnd: false, duration: duration).append(to: &payload)
        let packet = Self.packet(PayloadType(101), 0, timestamp, payload, ssrc: 1)
        recording.packet(packet.span, side, arrived: at(milliseconds))
    }

    mutating func pass(to milliseconds: Int) { recording.advance(to: at(milliseconds), into: &bytes) }

    /// The channels of a recording that ends then.
    mutating func channels(until milliseconds: Int) -> (left: [Int16], right: [Int16]) {
        recording.advance(to: at(milliseconds), isLast: true, into: &bytes)
        let samples = stride(from: 0, to: bytes.count - 1, by: 2).map { Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8) }
        return (
            stride(from: 0, to: samples.count, by: 2).map { samples[$0] }, stride(from: 1, to: samples.count, by: 2).map { samples[$0] }
        )
    }
}

@Suite("MediaRelay: recordings")
struct RecordingTests {
    private static let loud = G711.decode(G711.encode(8000, .ulaw), .ulaw)

    @Test("Each side has its channel; a lost packet is twenty milliseconds of silence where it would have been")
    func loss() throws {
        var bench = try RecordingBench()
        for number in 0..<10 where number != 4 {
            bench.sound(8000, UInt32(number * 160), .said, at: number * 20)
            if number == 0 { bench.sound(-8000, 77_000, .heard, at: 60) }
        }
        let (left, right) = bench.channels(until: 200)
        #expect(left.count == 1600 && right.count == 1600)
        #expect(left[0..<640].allSatisfy { $0 == Self.loud })
        #expect(left[640..<800].allSatisfy { $0 == 0 })
        #expect(left[800...].allSatisfy { $0 == Self.loud })
        #expect(right[480..<640].allSatisfy { $0 == -Self.loud })
        #expect(right[0..<480].allSatisfy { $0 == 0 })
        #expect(right[640...].allSatisfy { $0 == 0 })
    }

    @Test("Packets that overtake each other, come twice or jitter stand where their timestamps say, across the wrap of the clock")
    func order() throws {
        var bench = try RecordingBench()
        let first = UInt32.max - 300
        let arrivals: [(number: Int, at: Int)] = [(0, 0), (2, 35), (1, 36), (1, 37), (3, 140), (4, 141)]
        for (number, arrival) in arrivals {
            bench.sound(Int16(1000 * (number + 1)), first &+ UInt32(number * 160), .said, at: arrival)
            bench.pass(to: arrival)
        }
        let left = bench.channels(until: 200).left
        for number in 0..<5 {
            let value = G711.decode(G711.encode(Int16(1000 * (number + 1)), .ulaw), .ulaw)
            #expect(left[(number * 160)..<(number * 160 + 160)].allSatisfy { $0 == value })
        }
        #expect(left[800...].allSatisfy { $0 == 0 })
    }

    @Test("A pause is as long as it was; a clock that was set anew, or another source, goes on where it arrives")
    func restart() throws {
        var bench = try RecordingBench()
        bench.sound(8000, 0, .said, at: 0)
        bench.pass(to: 10_020)
        bench.sound(8000, 160 + 80_000, .said, at: 10_020)
        bench.pass(to: 10_900)
        bench.sound(8000, 3_000_000_000, .said, at: 11_000)
        bench.sound(8000, 5, .said, at: 11_500, ssrc: 2)
        let left = bench.channels(until: 12_000).left
        let starts = left.indices.filter { index in left[index] != 0 && (index == 0 || left[index - 1] == 0) }
        #expect(starts == [0, 80_160, 88_000, 92_000])
        #expect(left.count { $0 != 0 } == 640)
        #expect(left.count == 96_000)
    }

    @Test("A packet later than half a second is left out; time goes on without any")
    func late() throws {
        var bench = try RecordingBench()
        bench.sound(8000, 0, .said, at: 0)
        bench.sound(8000, 320, .said, at: 40)
        bench.pass(to: 700)
        #expect(bench.recording.length == 1600)
        bench.sound(8000, 160, .said, at: 390)
        bench.sound(8000, 320 + 5440, .said, at: 720)
        let left = bench.channels(until: 1000).left
        #expect(left.count == 8000 && left[5760] == Self.loud)
        #expect(left[160..<320].allSatisfy { $0 == 0 })
    }

    @Test("digits: false makes silence of the sound under an event, from 60 ms before to 60 ms after; without it nothing is changed")
    func events() throws {
        for keeps in [true, false] {
            var bench = try RecordingBench(.init(keepsDigits: keeps))
            for number in 0..<50 {
                bench.sound(8000, UInt32(number * 160), .said, at: number * 20)
                bench.sound(8000, UInt32(number * 160), .heard, at: number * 20)
            }
            bench.key(3200, duration: 400, .said, at: 450)
            bench.key(3200, duration: 800, .said, at: 500)
            let (left, right) = bench.channels(until: 1000)
            #expect(left.count >= 8000 && left.count == right.count)
            let isSilent = left[2720..<4480].allSatisfy { $0 == 0 }
            #expect(isSilent == !keeps)
            #expect(left[0..<2700].allSatisfy { $0 == Self.loud })
            #expect(left[4500..<7900].allSatisfy { $0 == Self.loud })
            #expect(right[0..<7900].allSatisfy { $0 == Self.loud })
        }
    }

    @Test("digits: false takes the tones of keys out of the sound itself, and nothing else, without a shift")
    func tones() throws {
        var bench = try RecordingBench(.init(keepsDigits: false))
        var voice = Tone(frequency: 440, level: .dBFS(-20))
        var key = Tone(frequencies: [770, 1336], level: .dBFS(-13))
        for number in 0..<100 {
            let samples = (40..<50).contains(number) ? key.next(160) : voice.next(160)
            bench.sound(samples, UInt32(number * 160), .said, at: number * 20)
            bench.pass(to: number * 20)
        }
        let left = bench.channels(until: 2000).left
        for start in stride(from: 0, to: 15_000, by: 400) {
            let piece = Array(left[start..<(start + 400)])
            #expect(Level(amplitude: Goertzel.amplitude(of: 1336, in: piece.span)).dBFS < -40, "at \(start)")
        }
        let before = Array(left[1600..<4800])
        let after = Array(left[9600..<12_800])
        #expect(Level(amplitude: Goertzel.amplitude(of: 440, in: before.span)).dBFS > -22)
        #expect(Level(amplitude: Goertzel.amplitude(of: 440, in: after.span)).dBFS > -22)
    }

    @Test("Mono is the sum, clamped; µ-law has a byte a sample; the header tells channels, format and length")
    func forms() throws {
        var mono = try RecordingBench(.init(isStereo: false))
        mono.sound(30_000, 0, .said, at: 0)
        mono.sound(30_000, 0, .heard, at: 0)
        mono.recording.advance(to: Instant(nanoseconds: 5_020_000_000), isLast: true, into: &mono.bytes)
        #expect(mono.bytes.count == 320 && mono.bytes[0] == 0xff && mono.bytes[1] == 0x7f)
        #expect(try SoundFile.decode(mono.recording.header + mono.bytes).count == 160)
        var law = try RecordingBench(.init(encoding: .g711(.ulaw)))
        law.sound(8000, 0, .said, at: 0)
        law.recording.advance(to: Instant(nanoseconds: 5_040_000_000), isLast: true, into: &law.bytes)
        let header = law.recording.header
        #expect(law.bytes.count == 640 && header.count == Recording.headerLength && header[20] == 7 && header[22] == 2)
        #expect(Array(header[40..<44]) == [0x80, 2, 0, 0] && header[32] == 2)
    }

    @Test("A recording ends at its bounds, of time and of bytes", arguments: [(800, 1 << 20), (1 << 20, 44 + 3200)])
    func bounds(longest: Int, largest: Int) throws {
        var bench = try RecordingBench(.init(longest: longest, largest: largest))
        bench.pass(to: 10_000)
        #expect(bench.recording.isFull && bench.recording.length == 800 && bench.bytes.count == 3200)
        bench.pass(to: 11_000)
        #expect(bench.bytes.count == 3200)
    }

    @Test("What is no packet of the inside changes nothing")
    func nonsense() throws {
        var bench = try RecordingBench(.init(keepsDigits: false))
        let start = Instant(nanoseconds: 5_000_000_000)
        let event: [UInt8] = [0x80, 101] + [UInt8](repeating: 0, count: 11)
        let alaw: [UInt8] = [0x80, 8] + [UInt8](repeating: 1, count: 170)
        let nonsense: [[UInt8]] = [[], [0x80], [UInt8](repeating: 0xff, count: 40), event, alaw]
        for bytes in nonsense {
            bench.recording.packet(bytes.span, .said, arrived: start)
        }
        let (left, right) = bench.channels(until: 100)
        #expect(left.allSatisfy { $0 == 0 })
        #expect(right.allSatisfy { $0 == 0 })
    }
}
