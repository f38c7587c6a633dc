/// Hears the tones that answering machines and faxes make: one frequency that stands still.
public struct ToneWatch: Sendable {
    public enum Finding: Sendable, Equatable {
        /// A beep has ended: a message may begin.
        case beep(frequency: Int, milliseconds: Int)
        /// The calling tone of a fax (CNG, ITU-T T.30): 1100 Hz for half a second.
        case faxCalling
        /// The answer of one (CED; also ANSam of T.38 and V.8 modems): 2100 Hz.
        case faxAnswering
    }

    private static let beeps: ClosedRange<Float> = 400...2000
    private static let calling: ClosedRange<Float> = 1060...1140
    private static let answering: ClosedRange<Float> = 2080...2120
    /// In frames.
    private static let shortestBeep = 7
    private static let longestBeep = 125
    private static let callingLength = 21...31
    private static let answeringLength = 25
    /// The phase of ANSam turns every 450 ms: what is between is not the end.
    private static let patience = 3

    /// Whether there is a beep before any speech, too.
    private let isBeepAlwaysHeard: Bool
    private var hasHeardSpeech = false

    private var frequency: Float = 0
    private var level: Float = 0
    private var frames = 0
    private var missed = 0
    private var isTold = false

    public init(beepWithoutSpeech: Bool = false) { isBeepAlwaysHeard = beepWithoutSpeech }

    public mutating func hear(_ features: Features, isSpeaking: Bool) -> Finding? {
        if isSpeaking { hasHeardSpeech = true }
        let isTone = features.level > -45 && features.share > 0.78
        if isTone, frames > 0, abs(features.frequency - frequency) < 12, abs(features.level - level) < 5 {
            frames += 1 + missed
            missed = 0
            frequency += (features.frequency - frequency) / Float(min(frames, 8))
            level += (features.level - level) / Float(min(frames, 8))
            return goesOn()
        }
        missed += 1
        // The frame in which a tone stops still sounds like it; a pause is the end at once.
        if frames > 0, missed <= Self.patience, features.level > level - 12, Self.answering.contains(frequency) { return nil }
        let finding = ended()
        (frames, missed, isTold) = (isTone ? 1 : 0, 0, false)
        if isTone { (frequency, level) = (features.frequency, features.level) }
        return finding
    }

    private mutating func goesOn() -> Finding? {
        guard frames >= Self.answeringLength, !isTold, Self.answering.contains(frequency) else { return nil }
        isTold = true
        return .faxAnswering
    }

    private func ended() -> Finding? {
        if Self.calling.contains(frequency), Self.callingLength.contains(frames) { return .faxCalling }
        guard hasHeardSpeech || isBeepAlwaysHeard, Self.beeps.contains(frequency),
            (Self.shortestBeep...Self.longestBeep).contains(frames)
        else { return nil }
        return .beep(frequency: Int(frequency.rounded()), milliseconds: frames * 20)
    }
}
