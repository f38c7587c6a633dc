import Audio
import Testing

@Suite("Tones and what a meter hears")
struct AudioToneTests {
    @Test("A tone is heard at its own frequency and level, and nowhere else", arguments: [350.0, 440, 1004, 2100, 3100])
    func toneIsHeard(frequency: Double) {
        var tone = Tone(frequency: frequency, level: .dBm0(-10))
        var meter = ToneMeter()
        for _ in 0..<10 { meter.append(tone.next(Samples.frame)) }
        #expect(abs(meter.hears(frequency) - Level.dBm0(-10).dBFS) < 0.2)
        #expect(abs(meter.level - Level.dBm0(-10).dBFS) < 0.2)
        #expect(meter.hears(frequency + 25) < -50)
        #expect(meter.hears(frequency - 25) < -50)
    }

    @Test("Phase goes on from frame to frame: two halves equal one whole")
    func phaseContinuity() {
        var whole = Tone(frequency: 443)
        var halves = Tone(frequency: 443)
        #expect(whole.next(320) == halves.next(160) + halves.next(160))
    }

    @Test("Three phones are told apart by frequency through µ-law")
    func threeTones() {
        let frequencies = [400.0, 600, 900]
        var tones = frequencies.prefix(2).map { Tone(frequency: $0, level: .dBm0(-16)) }
        var meter = ToneMeter()
        for _ in 0..<10 {
            let (first, second) = (tones[0].next(160), tones[1].next(160))
            meter.append(G711.decode(G711.encode(zip(first, second).map { $0 &+ $1 }, .ulaw), .ulaw))
        }
        #expect(meter.tones(among: frequencies) == [400, 600])
    }

    @Test("Silence is no tone, whatever G.711 makes of it", arguments: G711.Law.allCases)
    func silence(law: G711.Law) {
        var meter = ToneMeter()
        meter.append(G711.decode(Array(repeating: law.silence, count: 1600), law))
        #expect(meter.level < -65)
        #expect(meter.tones(among: [400, 600, 900, 1000]).isEmpty)
    }

    @Test("Only the window counts: an old tone is forgotten")
    func window() {
        var meter = ToneMeter(window: 800)
        var tone = Tone(frequency: 700)
        meter.append(tone.next(800))
        #expect(meter.isFull)
        #expect(meter.hears(700) > -20)
        meter.append(Array(repeating: 0, count: 800))
        #expect(meter.hears(700) < -100)
    }

    @Test("Q.23: every key is its low and its high tone", arguments: Array("123A456B789C*0#D"))
    func keypad(digit: Character) throws {
        let samples = try #require(DTMF.samples(of: digit, milliseconds: 200))
        let (low, high) = try #require(DTMF.frequencies(of: digit))
        var meter = ToneMeter()
        meter.append(samples.values)
        #expect(meter.tones(among: [697, 770, 852, 941, 1209, 1336, 1477, 1633]) == [low, high])
    }

    @Test("Q.23: a letter off the keypad has no tones")
    func offKeypad() {
        #expect(DTMF.frequencies(of: "E") == nil)
        #expect(DTMF.frequencies(of: "ß") == nil)
        #expect(DTMF.frequencies(of: "a")?.high == 1633)
    }
}
