/// The call progress tones of ITU-T E.180 as a caller hears them: frequencies on and off in a cadence.
public struct CallProgress: Hashable, Sendable {
    public struct Step: Hashable, Sendable {
        /// Empty for a pause.
        public var frequencies: [Double]
        public var milliseconds: Int

        public init(_ frequencies: [Double], milliseconds: Int) {
            (self.frequencies, self.milliseconds) = (frequencies, milliseconds)
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

    public static let named: [String: CallProgress] = [
        "dial": dial, "ringing": ringing, "busy": busy, "congestion": congestion,
        "special_information": specialInformation, "beep": beep,
    ]

    /// One whole period, to be looped.
    public func samples(level: Level = .dBm0(-13)) -> Samples {
        var values: [Int16] = []
        for step in steps {
            let count = step.milliseconds * Samples.rate / 1000
            if step.frequencies.isEmpty {
                values.append(contentsOf: repeatElement(0, count: count))
            } else {
                var tone = Tone(frequencies: step.frequencies, level: level)
                values += tone.next(count)
            }
        }
        return Samples(values)
    }
}
