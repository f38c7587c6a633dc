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

    @Test("Too loud a sum is clamped, never wrapped")
    func clamped() {
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
        #expect(linear.allSatisfy { $0 == -32768 })
    }

    @Test("A room of nobody sends silence")
    func silence() {
        var codes = [UInt8](repeating: 0, count: Samples.frame)
        var span = codes.mutableSpan
        Mix().encode(into: &span)
        #expect(codes.allSatisfy { $0 == 0xff })
    }
}
