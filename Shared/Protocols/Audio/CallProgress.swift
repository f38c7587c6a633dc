internal import Glibc

/// The call progress tones of ITU-T E.180 as a caller hears them: frequencies on and off in a cadence.
public struct CallProgress: Hashable, Sendable {
    public struct Step: Hashable, Sendable {
        /// Empty for a pause.
        public var frequencies: [Double]
        public var milliseconds: Int
        /// The frequency the tone swells and fades with; 0: it is steady.
        public var modulation: Double

        public init(_ frequencies: [Double], milliseconds: Int, modulation: Double = 0) {
            (self.frequencies, self.milliseconds, self.modulation) = (frequencies, milliseconds, modulation)
        }
    }

    public var steps: [Step]

    public init(_ steps: [Step]) { self.steps = steps }

    // The values E.180 §4 recommends: 425 Hz everywhere.
    public static let dial = CallProgress([Step([425], milliseconds: 1000)])
    public static let ringing = CallProgress([Step([425], milliseconds: 1000), Step([], milliseconds: 4000)])
    public static let busy = CallProgress([Step([425], milliseconds: 500), Step([], milliseconds: 500)])
    public static let congestion = CallProgress([Step([425], milliseconds: 250), Step([], milliseconds: 250)])
    /// The special information tone: three rising notes, a pause (E.180 §5).
    public static let specialInformation = CallProgress([
        Step([950], milliseconds: 330), Step([1400], milliseconds: 330), Step([1800], milliseconds: 330),
        Step([], milliseconds: 1000),
    ])
    /// One short note: record now, or somebody joined.
    public static let beep = CallProgress([Step([1000], milliseconds: 300)])

    /// How much of a modulated tone comes and goes.
    private static let depth = 0.9

    /// One whole period, to be looped: frequencies are whole hertz and a steady tone lasts a second, so it has no seam.
    public func samples(level: Level = .dBm0(-13)) -> Samples {
        var values: [Int16] = []
        for step in steps {
            let count = step.milliseconds * Samples.rate / 1000
            if step.frequencies.isEmpty {
                values.append(contentsOf: repeatElement(0, count: count))
            } else {
                var tone = Tone(frequencies: step.frequencies, level: level)
                values += Self.modulated(tone.next(count), by: step.modulation)
            }
        }
        return Samples(values)
    }

    private static func modulated(_ samples: [Int16], by frequency: Double) -> [Int16] {
        guard frequency > 0 else { return samples }
        return samples.enumerated().map { index, sample in
            let swell = cos(2 * .pi * frequency * Double(index) / Double(Samples.rate))
            return Int16((Double(sample) * (1 + depth * swell) / (1 + depth)).rounded())
        }
    }
}
