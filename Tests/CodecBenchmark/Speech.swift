import Codecs
import Glibc

/// Something like a voice: harmonics of a gliding pitch that swell and fade, and some noise.
enum Speech {
    static func samples(rate: Int, count: Int) -> [Int16] {
        var (phase, seed): (Double, UInt32) = (0, 1)
        return (0..<count).map { index in
            let time = Double(index) / Double(rate)
            phase += 2 * .pi * (130 + 30 * sin(2 * .pi * 0.7 * time)) / Double(rate)
            let loudness = 0.5 + 0.5 * sin(2 * .pi * 3 * time)
            var value = 0.0
            for harmonic in 1..<24 { value += sin(phase * Double(harmonic)) / Double(harmonic) }
            seed = seed &* 1_664_525 &+ 1_013_904_223
            return Int16(value * loudness * 4000 + Double(seed >> 24) - 128)
        }
    }

    static func payloads(_ coding: Coding, packets: Int) throws -> [[UInt8]] {
        var encoder = try Encoder(coding)
        let frame = encoder.rate * coding.packetTime(wished: 20) / 1000
        let sound = samples(rate: encoder.rate, count: frame * packets)
        var memory = [UInt8](repeating: 0, count: 4096)
        return (0..<packets).map { packet in
            var span = memory.mutableSpan
            let length = encoder.encode(sound.span.extracting((packet * frame)..<((packet + 1) * frame)), into: &span)
            return Array(memory[..<length])
        }
    }
}
