internal import Glibc

/// Music for who waits, made here from nothing, so that nobody's permission is needed: broken chords on something like a
/// vibraphone over a soft bass. It loops without a seam, as what rings past its end is heard at its beginning.
public enum HoldMusic {
    /// Semitones above A3 of each bar's chord: the lowest is the bass.
    private static let chords: [[Int]] = [
        [-9, 7, 12, 15, 19], [0, 7, 12, 15, 19], [-4, 8, 12, 15, 20], [-2, 5, 10, 14, 17],
        [-9, 3, 7, 12, 15], [0, 3, 7, 12, 15], [-7, 5, 8, 12, 17], [-2, 5, 10, 14, 17],
    ]
    /// Which notes of the chord follow each other, in quavers.
    private static let pattern = [1, 2, 3, 4, 3, 2, 3, 2]
    private static let quaver = Samples.rate * 3 / 8

    /// 24 seconds.
    public static let samples: Samples = {
        var sound = [Double](repeating: 0, count: chords.count * pattern.count * quaver)
        for (bar, chord) in chords.enumerated() {
            let start = bar * pattern.count * quaver
            if let bass = chord.first { add(bass, at: start, length: 8 * quaver, level: 0.5, decay: 1.2, to: &sound) }
            for (index, note) in pattern.enumerated() where note < chord.count {
                add(chord[note], at: start + index * quaver, length: 5 * quaver, level: 0.35, decay: 2.5, to: &sound)
            }
        }
        // The level of a voice, 20 dB below full scale on average.
        let power = sound.reduce(0) { $0 + $1 * $1 } / Double(max(1, sound.count))
        let factor = power > 0 ? 32767 * 0.07 / power.squareRoot() : 0
        return Samples(sound.map { Int16(max(-32768, min(32767, ($0 * factor).rounded()))) })
    }()

    private static func add(
        _ semitone: Int, at start: Int, length: Int, level: Double, decay: Double, to sound: inout [Double]
    ) {
        let step = 2 * .pi * 220 * pow(2, Double(semitone) / 12) / Double(Samples.rate)
        for index in 0..<length {
            let time = Double(index) / Double(Samples.rate)
            let attack = min(1, time / 0.008)
            let release = min(1, Double(length - index) / 400)
            let phase = step * Double(index)
            // The fourth partial is what a struck bar adds.
            let note = sin(phase) + 0.25 * sin(2 * phase) * exp(-3 * time) + 0.15 * sin(4 * phase) * exp(-8 * time)
            sound[(start + index) % sound.count] += level * note * attack * release * exp(-decay * time)
        }
    }
}
