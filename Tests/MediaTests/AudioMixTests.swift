import Audio
import Testing

@Suite("Mixing")
struct AudioMixTests {
    private func encoded(_ mix: Mix, minus own: [Int16]? = nil) -> [Int16] {
        var codes = [UInt8](repeating: 0, count: Samples.frame)
        var span = codes.mutableSpan
        if let own { mix.encode(minus: own.span, into: &span) } else { mix.encode(into: &span) }
        return G711.decode(codes, .ulaw)
    }

    @Test("Each of five hears the other four and not itself")
    func minusSelf() {
        let frequencies = [400.0, 600, 900, 1300, 1700]
        var tones = frequencies.map { Tone(frequency: $0, level: .dBm0(-18)) }
        var meters = frequencies.map { _ in ToneMeter() }
        var mix = Mix()
        for _ in 0..<10 {
            let frames = tones.indices.map { tones[$0].next(Samples.frame) }
            mix.clear()
            for frame in frames { mix.add(frame.span) }
            for index in meters.indices { meters[index].append(encoded(mix, minus: frames[index])) }
        }
        for index in meters.indices {
            #expect(meters[index].tones(among: frequencies) == frequencies.filter { $0 != frequencies[index] })
            #expect(meters[index].hears(frequencies[index]) < -50)
        }
    }

    @Test("Ten loud talkers are bent towards full scale, not cut off at it")
    func tenTalkers() {
        var tones = (0..<10).map { Tone(frequency: 300 + 173 * Double($0), level: .dBm0(-3)) }
        var mix = Mix()
        var sound: [Int16] = []
        for _ in 0..<50 {
            mix.clear()
            for index in tones.indices { mix.add(tones[index].next(Samples.frame).span) }
            var frame = [Int16](repeating: 0, count: Samples.frame)
            var span = frame.mutableSpan
            mix.write(into: &span)
            sound += frame
        }
        let peak = sound.map(\.magnitude).max() ?? 0
        #expect(peak > 30_000 && peak < 32_767)
        // What is cut off stands still at its peak.
        let flat = zip(sound, zip(sound.dropFirst(), sound.dropFirst(2))).count { $0 == $1.0 && $0 == $1.1 && $0.magnitude > 24_000 }
        #expect(flat == 0)
    }

    @Test("Below the knee a sum is what it is, and above it a louder one is louder")
    func curve() {
        func limited(_ values: [Int16]) -> Int16 {
            var mix = Mix(frame: 1)
            for value in values { mix.add([value].span) }
            var out: [Int16] = [0]
            var span = out.mutableSpan
            mix.write(into: &span)
            return out[0]
        }
        #expect(limited([20_000, 4_000]) == 24_000 && limited([-20_000, -4_000]) == -24_000)
        #expect(limited([20_000, 4_001]) == 24_000 || limited([20_000, 4_001]) == 24_001)
        let rising = (0..<40).map { limited([20_000, 4_000] + Array(repeating: 5_000, count: $0)) }
        #expect(zip(rising, rising.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("Too loud a sum is never wrapped")
    func limited() {
        var mix = Mix()
        let loud = [Int16](repeating: 30000, count: Samples.frame)
        for _ in 0..<40 { mix.add(loud.span) }
        #expect(encoded(mix).allSatisfy { $0 == 32124 })
        let quiet = [Int16](repeating: -30000, count: Samples.frame)
        for _ in 0..<80 { mix.add(quiet.span) }
        #expect(encoded(mix).allSatisfy { $0 == -32124 })
        var linear = [Int16](repeating: 0, count: Samples.frame)
        var span = linear.mutableSpan
        mix.write(into: &span)
        #expect(linear.allSatisfy { (-32_767...(-32_600)).contains($0) })
    }

    @Test("A room of nobody sends silence")
    func silence() {
        var codes = [UInt8](repeating: 0, count: Samples.frame)
        var span = codes.mutableSpan
        Mix().encode(into: &span)
        #expect(codes.allSatisfy { $0 == 0xff })
    }
}
