import Codecs
import Glibc

/// Sines as test sound, and how well sound is one: no alignment is needed, since phase and level are fitted.
enum Sine {
    static func samples(_ frequency: Double, rate: Int, count: Int, amplitude: Double = 8000, from start: Int = 0) -> [Int16] {
        (start..<(start + count)).map {
            Int16((amplitude * sin(2 * .pi * frequency * Double($0) / Double(rate))).rounded())
        }
    }

    /// A voice of 120 Hz that says a syllable three times a second.
    static func voice(rate: Int, count: Int) -> [Int16] {
        var sound = [Int16](repeating: 0, count: count)
        for harmonic in 1...12 {
            for (index, sample) in samples(120 * Double(harmonic), rate: rate, count: count).enumerated() {
                let syllable = abs(Double(index * 3 % rate) / Double(rate) - 0.5) * 2
                sound[index] += Int16(Double(sample) * syllable / Double(6 * harmonic))
            }
        }
        return sound
    }

    struct Fit {
        var amplitude: Double
        /// Of the sine to all else, in dB.
        var ratio: Double
    }

    /// The sine of `frequency` that comes closest, by least squares.
    static func fit(_ sound: some Collection<Int16>, _ frequency: Double, rate: Int) -> Fit {
        let values = sound.map(Double.init)
        let step = 2 * .pi * frequency / Double(rate)
        var (ss, cc, sc, vs, vc) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (index, value) in values.enumerated() {
            let (s, c) = (sin(step * Double(index)), cos(step * Double(index)))
            (ss, cc, sc, vs, vc) = (ss + s * s, cc + c * c, sc + s * c, vs + value * s, vc + value * c)
        }
        let determinant = max(ss * cc - sc * sc, 1e-9)
        let (a, b) = ((vs * cc - vc * sc) / determinant, (vc * ss - vs * sc) / determinant)
        var (signal, rest) = (0.0, 1e-9)
        for (index, value) in values.enumerated() {
            let fitted = a * sin(step * Double(index)) + b * cos(step * Double(index))
            signal += fitted * fitted
            rest += (value - fitted) * (value - fitted)
        }
        return Fit(amplitude: (a * a + b * b).squareRoot(), ratio: 10 * log10(max(signal, 1e-9) / rest))
    }

    static func decibels(_ one: Double, _ other: Double) -> Double { 20 * log10(max(one, 1e-9) / max(other, 1e-9)) }

    static func rootMeanSquare(_ sound: some Collection<Int16>) -> Double {
        (sound.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(1, sound.count))).squareRoot()
    }

    /// The largest distance between two neighbours.
    static func largestStep(_ sound: some Collection<Int16>) -> Int {
        zip(sound, sound.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
    }
}
