import Audio
import Testing

@Suite("Call progress tones of the world")
struct AudioProgressTests {
    struct Expected: Sendable, CustomTestStringConvertible {
        let country: String
        let ringing: [Double]
        /// On and off, in ms.
        let cadence: [Int]
        let busy: Double
        let busyTime: Int
        var testDescription: String { country }
    }

    static let table = [
        Expected(country: "de", ringing: [425], cadence: [1000, 4000], busy: 425, busyTime: 480),
        Expected(country: "us", ringing: [440, 480], cadence: [2000, 4000], busy: 480, busyTime: 500),
        Expected(country: "uk", ringing: [400, 450], cadence: [400, 200, 400, 2000], busy: 400, busyTime: 375),
        Expected(country: "fr", ringing: [440], cadence: [1500, 3500], busy: 440, busyTime: 500),
        Expected(country: "it", ringing: [425], cadence: [1000, 4000], busy: 425, busyTime: 500),
        Expected(country: "es", ringing: [425], cadence: [1500, 3000], busy: 425, busyTime: 200),
        Expected(country: "jp", ringing: [400], cadence: [1000, 2000], busy: 400, busyTime: 500),
        Expected(country: "au", ringing: [413, 438], cadence: [400, 200, 400, 2000], busy: 425, busyTime: 375),
        Expected(country: "nl", ringing: [425], cadence: [1000, 4000], busy: 425, busyTime: 500),
        Expected(country: "ch", ringing: [425], cadence: [1000, 4000], busy: 425, busyTime: 500),
        Expected(country: "at", ringing: [420], cadence: [1000, 5000], busy: 420, busyTime: 400),
        Expected(country: "in", ringing: [400], cadence: [400, 200, 400, 2000], busy: 400, busyTime: 750),
        Expected(country: "br", ringing: [425], cadence: [1000, 4000], busy: 425, busyTime: 250),
        Expected(country: "ru", ringing: [425], cadence: [1000, 4000], busy: 425, busyTime: 350),
        Expected(country: "cn", ringing: [450], cadence: [1000, 4000], busy: 450, busyTime: 350),
    ]

    private func loudness(_ samples: some Sequence<Int16>) -> Double { Level(of: Array(samples).span).dBFS }

    private func level(_ frequency: Double, _ samples: ArraySlice<Int16>) -> Double {
        Level(amplitude: Goertzel.amplitude(of: frequency, in: Array(samples).span)).dBFS
    }

    @Test("E.180 Supplement 2: ringing and busy have the frequencies and the cadence of the country", arguments: table)
    func country(expected: Expected) {
        let ringing = CallProgress.tone(.ringing, country: expected.country).samples().values
        #expect(ringing.count == expected.cadence.reduce(0, +) * 8)
        var start = 0
        for (index, time) in expected.cadence.enumerated() {
            let part = ringing[(start + 80)..<(start + time * 8 - 80)]
            if index % 2 == 0 {
                for frequency in expected.ringing { #expect(level(frequency, part) > -24, "\(frequency)") }
            } else {
                #expect(part.allSatisfy { $0 == 0 })
            }
            start += time * 8
        }
        let busy = CallProgress.tone(.busy, country: expected.country).samples().values
        #expect(busy.count == 2 * expected.busyTime * 8)
        #expect(level(expected.busy, busy[..<(expected.busyTime * 8)]) > -18)
        #expect(busy[(expected.busyTime * 8)...].allSatisfy { $0 == 0 })
    }

    @Test("Every signal of every country is sound of less than half a minute, does not clip, and loops without a click")
    func all() {
        #expect(Set(Self.table.map(\.country)).isSubset(of: CallProgress.knownCountries))
        for country in CallProgress.knownCountries + ["", "xx"] {
            for signal in CallProgress.Signal.allCases {
                let values = CallProgress.tone(signal, country: country).samples().values
                #expect((100 * 8...30_000 * 8).contains(values.count), "\(country) \(signal)")
                #expect(loudness(values.prefix(800)) > -30, "\(country) \(signal)")
                #expect(values.allSatisfy { abs(Int($0)) < 20_000 })
            }
            // A steady tone goes on where it ended: no step is larger than those within.
            let dial = CallProgress.tone(.dial, country: country).samples().values
            guard let first = dial.first, let last = dial.last else { continue }
            let steps = zip(dial, dial.dropFirst()).map { abs(Int($1) - Int($0)) }
            #expect(abs(Int(first) - Int(last)) <= (steps.max() ?? 0), "\(country)")
        }
    }

    @Test("A country may be written in any case, the United Kingdom also as GB; one not known has what E.180 recommends")
    func names() {
        #expect(CallProgress.tone(.busy, country: "GB") == CallProgress.tone(.busy, country: "uk"))
        #expect(CallProgress.tone(.busy, country: "De") == CallProgress.tone(.busy, country: "de"))
        #expect(CallProgress.tone(.busy, country: "xx") == CallProgress.busy)
        #expect(CallProgress.tone(.ringing) == CallProgress.ringing)
    }

    @Test("A modulated tone swells and fades")
    func modulation() {
        let ringing = CallProgress.tone(.ringing, country: "jp").samples().values
        let parts = stride(from: 0, to: 4000, by: 125).map { Level(of: Array(ringing[$0..<($0 + 125)]).span).dBFS }
        #expect((parts.max() ?? 0) - (parts.min() ?? 0) > 6)
    }

    @Test("The music is as loud as a voice, does not clip, changes its harmony, and has no seam")
    func music() {
        let music = HoldMusic.samples.values
        #expect(music.count == 24 * Samples.rate)
        #expect(abs(loudness(music) + 20) < 2)
        #expect(music.allSatisfy { abs(Int($0)) < 32_000 })
        let seconds = stride(from: 0, to: music.count, by: 8000).map { Level(of: Array(music[$0..<($0 + 8000)]).span).dBFS }
        #expect(seconds.allSatisfy { $0 > -32 }, "it never falls silent")
        // The second bar has an A, the end of the fourth has none, but a G.
        #expect(level(440, music[24_000..<48_000]) > -40)
        #expect(level(392, music[88_000..<96_000]) > level(440, music[88_000..<96_000]) + 10)
        let steps = zip(music, music.dropFirst()).map { abs(Int($1) - Int($0)) }
        guard let first = music.first, let last = music.last else { return }
        #expect(abs(Int(first) - Int(last)) <= (steps.max() ?? 0))
    }

    @Test("A volume changes within one frame, by as much as it says, and never past full scale")
    func gain() {
        var tone = Tone(frequency: 500, level: .dBFS(-20))
        var gain = Gain(decibels: 0)
        var frame = tone.next(160)
        let untouched = frame
        gain.apply(to: &frame)
        #expect(frame == untouched)
        gain.change(to: -12)
        var ramp = tone.next(160)
        gain.apply(to: &ramp)
        var steady = tone.next(160)
        gain.apply(to: &steady)
        #expect(abs(loudness(steady) + 32) < 0.3)
        #expect(loudness(ramp) > -32 && loudness(ramp) < -20)
        gain.change(to: 1000)
        #expect(gain.decibels == Gain.range.upperBound)
        var loud = [Int16](repeating: 32_767, count: 160) + [Int16](repeating: -32_768, count: 160)
        gain.apply(to: &loud)
        gain.apply(to: &loud)
        #expect(loud.first == 32_767 && loud.last == -32_768)
        #expect(Gain(decibels: .nan) == Gain(decibels: 0) && Gain(decibels: -.infinity).decibels == -60)
        var last = tone.next(160)
        var fading = Gain()
        fading.fadeOut(&last)
        #expect(last.last == 0 && last.prefix(40).contains { abs(Int($0)) > 1000 })
    }
}
