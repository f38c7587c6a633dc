import Audio
import Speech

/// What a telephone line carries: speech of espeak-ng at a level, with noise, through G.711.
struct Line {
    enum Noise: String, CaseIterable { case white, pink, car }

    var samples: [Float] = []

    /// The level of the loud frames of speech, in dBov.
    static func activeLevel(_ sound: [Float]) -> Float {
        let powers = stride(from: 0, to: sound.count - 160, by: 160).map { start in
            sound[start..<(start + 160)].reduce(Float(0)) { $0 + $1 * $1 } / 160
        }
        let loudest = powers.max() ?? 1
        let active = powers.filter { $0 > loudest / 100 }
        return decibels(active.reduce(0, +) / Float(max(1, active.count)))
    }

    static func decibels(_ power: Float) -> Float { Float(Level(amplitude: Double(power.squareRoot())).dBFS) }

    static func factor(_ decibels: Float) -> Float { Float(Level.dBFS(Double(decibels)).amplitude / Level.dBFS(0).amplitude) }

    mutating func pause(_ milliseconds: Int) { samples += [Float](repeating: 0, count: milliseconds * 8) }

    mutating func say(_ sound: [Int16], level: Float) {
        // Telephone band, as a handset would have it.
        let sound = HighPass.apply(sound.map(Float.init))
        let gain = Self.factor(level - Self.activeLevel(sound))
        samples += sound.map { $0 * gain }
    }

    /// Sines of equal power that together have this level.
    mutating func tone(_ frequencies: [Double], level: Float, milliseconds: Int) {
        var sum = [Float](repeating: 0, count: milliseconds * 8)
        for frequency in frequencies {
            var tone = Tone(frequency: frequency, level: .dBFS(-10))
            for (index, sample) in tone.next(sum.count).enumerated() { sum[index] += Float(sample) }
        }
        let power = sum.reduce(Float(0)) { $0 + $1 * $1 } / Float(max(1, sum.count))
        let gain = Self.factor(level - Self.decibels(power))
        samples += sum.map { $0 * gain }
    }

    mutating func add(_ kind: Noise, level: Float, seed: UInt64) {
        var random = Random(state: seed &* 0x9e37_79b9_7f4a_7c15 | 1)
        var noise = [Float](repeating: 0, count: samples.count)
        var (a, b, c, low): (Float, Float, Float, Float) = (0, 0, 0, 0)
        for index in noise.indices {
            let white = random.normal()
            switch kind {
            case .white: noise[index] = white
            case .pink:
                // Three poles that fall by 3 dB an octave (Paul Kellet's economy filter).
                a = 0.99765 * a + white * 0.0990460
                b = 0.96300 * b + white * 0.2965164
                c = 0.57000 * c + white * 1.0526913
                noise[index] = a + b + c + white * 0.1848
            case .car:
                low += (white - low) * 0.2
                noise[index] = low
            }
        }
        noise = HighPass.apply(noise)
        let power = noise.reduce(Float(0)) { $0 + $1 * $1 } / Float(max(1, noise.count))
        let gain = Self.factor(level - Self.decibels(power))
        for index in noise.indices { samples[index] += noise[index] * gain }
    }

    /// As the room gets it.
    var coded: [Int16] { G711.decode(G711.encode(samples.map { Int16(max(-32635, min(32635, $0.rounded()))) }, .ulaw), .ulaw) }
}

/// Two poles at 200 Hz.
enum HighPass {
    static func apply(_ sound: [Float]) -> [Float] {
        var (lastIn, lastOut, lastIn2, lastOut2): (Float, Float, Float, Float) = (0, 0, 0, 0)
        let pole: Float = 0.855
        return sound.map { sample in
            let first = pole * (lastOut + sample - lastIn)
            (lastIn, lastOut) = (sample, first)
            let second = pole * (lastOut2 + first - lastIn2)
            (lastIn2, lastOut2) = (first, second)
            return second
        }
    }
}

struct Random {
    var state: UInt64

    mutating func next() -> Float {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(state >> 40) / Float(1 << 24)
    }

    /// Nearly normal: the sum of four.
    mutating func normal() -> Float { (next() + next() + next() + next() - 2) * 1.73 }
}
