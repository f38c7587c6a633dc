import Audio
import Testing

@Suite("Sound files")
struct AudioSoundFileTests {
    private var note: Samples {
        var tone = Tone(frequency: 440, level: .dBm0(-10))
        return Samples(tone.next(4000))
    }

    /// A RIFF file of any rate and number of channels, for what the writer does not write.
    private func wav(rate: Int, channels: Int, values: [Int16]) -> [UInt8] {
        func bytes(_ value: Int, _ width: Int) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
        let data = values.flatMap { bytes(Int($0), 2) }
        return Array("RIFF".utf8) + bytes(36 + data.count, 4) + Array("WAVEfmt ".utf8) + bytes(16, 4) + bytes(1, 2)
            + bytes(channels, 2) + bytes(rate, 4) + bytes(rate * channels * 2, 4) + bytes(channels * 2, 2) + bytes(16, 2)
            + Array("data".utf8) + bytes(data.count, 4) + data
    }

    @Test("What was written is read back, in each encoding")
    func roundTrip() throws {
        #expect(try SoundFile.decode(WAVWriter.encode(note)) == note)
        for law in G711.Law.allCases {
            let coded = G711.decode(G711.encode(note.values, law), law)
            #expect(try SoundFile.decode(WAVWriter.encode(note, .g711(law))).values == coded)
        }
    }

    @Test("Headerless files are read by their extension")
    func headerless() throws {
        let codes = G711.encode(note.values, .ulaw)
        #expect(try SoundFile.decode(codes, .init(fileName: "a/hello.ulaw")).count == 4000)
        #expect(try SoundFile.decode(G711.encode(note.values, .alaw), .init(fileName: "x.AL")).count == 4000)
        let linear = note.values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        #expect(try SoundFile.decode(linear, .init(fileName: "x.sln")) == note)
    }

    @Test(
        "Any rate and number of channels becomes mono at 8 kHz",
        arguments: [(8000, 2), (11025, 1), (16000, 1), (44100, 2), (48000, 6)])
    func resampled(rate: Int, channels: Int) throws {
        let step = 440.0 * 8000 / Double(rate)
        var tone = Tone(frequency: step, level: .dBm0(-10))
        let values = tone.next(rate).flatMap { Array(repeating: $0, count: channels) }
        let samples = try SoundFile.decode(wav(rate: rate, channels: channels, values: values))
        #expect(abs(samples.count - 8000) <= 8)
        var meter = ToneMeter()
        meter.append(samples.values[4000..<5600])
        #expect(abs(meter.hears(440) - Level.dBm0(-10).dBFS) < 0.5)
        #expect(abs(meter.level - meter.hears(440)) < 0.5)
    }

    @Test("What telephone quality cannot carry is filtered, not folded back")
    func antiAliasing() throws {
        var tone = Tone(frequency: 6000.0 / 6, level: .dBm0(-10))
        let samples = try SoundFile.decode(wav(rate: 48000, channels: 1, values: tone.next(48000)))
        var meter = ToneMeter()
        meter.append(samples.values[4000..<5600])
        #expect(meter.hears(2000) < -60)
    }

    @Test("Garbage is a typed error, never a trap")
    func garbage() throws {
        #expect(throws: SoundError.unrecognised) { try SoundFile.decode(Array("<html>404 Not Found</html>".utf8)) }
        #expect(throws: SoundError.unrecognised) { try SoundFile.decode([]) }
        #expect(throws: SoundError.empty) { try SoundFile.decode([], .raw(.ulaw)) }
        #expect(throws: SoundError.tooLong(limit: 1)) {
            try SoundFile.decode(WAVWriter.encode(Samples(Array(repeating: 5, count: 8001))), seconds: 1)
        }
        #expect(throws: SoundError.self) { try SoundFile.decode(wav(rate: 300_000, channels: 1, values: [1, 2, 3])) }
        #expect(throws: SoundError.self) {
            try SoundFile.decode(wav(rate: 8000, channels: 9, values: Array(repeating: 1, count: 90)))
        }
        let whole = WAVWriter.encode(note)
        var state: UInt64 = 42
        for cut in stride(from: 0, to: 200, by: 1) { _ = try? SoundFile.decode(Array(whole.prefix(cut))) }
        for _ in 0..<500 {
            var damaged = Array(whole.prefix(400))
            for _ in 0..<4 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                damaged[Int(state >> 33) % 64] = UInt8(truncatingIfNeeded: state >> 40)
            }
            _ = try? SoundFile.decode(damaged, seconds: 5)
        }
    }

    @Test("E.180: ringing is one second of 425 Hz and four of silence")
    func ringing() {
        let samples = CallProgress.ringing.samples()
        #expect(samples.milliseconds == 5000)
        var meter = ToneMeter()
        meter.append(samples.values[2000..<3600])
        #expect(meter.hears(425) > -20)
        meter.append(samples.values[8000..<9600])
        #expect(meter.level < -100)
    }
}
