/// Hears when somebody speaks: sound above what the line sounds like by itself, with the pitch of a voice in it.
///
/// A level alone tells nothing: noise that begins, tones of the network and a modem are loud as well. What begins must hold
/// enough frames with a pitch that no tone explains; what goes on may be hiss, for a while. Whispering is not heard.
public struct VoiceActivity: Sendable {
    public struct Settings: Sendable, Equatable {
        /// Softer is nobody's voice, in dBov.
        public var softest: Float = -56
        /// How far above the floor a voice begins, and how far it goes on, in dB.
        public var above: Float = 6
        public var stillAbove: Float = 4
        /// Frames with a pitch among the last twelve that make a voice.
        public var needed = 5
        /// How long a pause within speech may be, in frames.
        public var hangover = 20

        public init() {}
    }

    public enum Change: Sendable, Equatable {
        case began, ended
    }

    private static let window: UInt16 = 0x0fff
    private static let lowestFloor: Float = -66
    /// Frames for which a voice may go on without a pitch.
    private static let longestHiss = 60

    private let settings: Settings
    /// The level of the line when nobody speaks, in dBov.
    public private(set) var floor: Float = -55
    public private(set) var isSpeaking = false
    /// This very frame is loud, and no tone.
    public private(set) var isActive = false
    private var pitched: UInt16 = 0
    private var quietFrames = 0
    private var hissFrames = 0
    private var hasHeard = false

    /// A voice ends so much later than its last sound.
    public var hangoverMilliseconds: Int { settings.hangover * 20 }

    public init(_ settings: Settings = Settings()) { self.settings = settings }

    public mutating func hear(_ features: Features) -> Change? {
        if !hasHeard {
            hasHeard = true
            floor = min(floor, max(Self.lowestFloor, features.level))
        }
        let margin = isSpeaking ? settings.stillAbove : settings.above
        let isLoud = features.level > max(settings.softest, floor + margin)
        isActive = isLoud && !features.isTonal
        let isPitched = isActive && features.isVoiced
        // Frames that turn out to be the beginning of a tone count no more.
        pitched = features.isTonal ? 0 : (pitched << 1 | (isPitched ? 1 : 0)) & Self.window
        follow(features)
        return isSpeaking ? goOn(isPitched: isPitched) : begin()
    }

    private mutating func begin() -> Change? {
        guard pitched.nonzeroBitCount >= settings.needed else { return nil }
        (isSpeaking, quietFrames, hissFrames) = (true, 0, 0)
        return .began
    }

    private mutating func goOn(isPitched: Bool) -> Change? {
        hissFrames = isPitched ? 0 : hissFrames + 1
        quietFrames = isActive && hissFrames < Self.longestHiss ? 0 : quietFrames + 1
        guard quietFrames >= settings.hangover else { return nil }
        (isSpeaking, pitched) = (false, 0)
        return .ended
    }

    /// The floor falls quickly, rises with noise, and hardly with what has a pitch.
    private mutating func follow(_ features: Features) {
        let distance = max(Self.lowestFloor, features.level) - floor
        let rate: Float =
            if distance < 0 {
                0.2
            } else if features.isVoiced {
                0.002
            } else {
                isSpeaking ? 0.01 : 0.08
            }
        floor += distance * rate
    }
}
