/// Tells a person from a machine by how a call is answered: a person says a word or two and waits, a machine says sentences,
/// or nothing at first. The names of the settings and what they mean are those people know from Asterisk's AMD.
public struct AnsweringMachine: Sendable {
    /// In milliseconds, where they are times.
    public struct Settings: Sendable, Equatable {
        /// Silence before the greeting that is a machine's.
        public var initialSilence = 2500
        /// A greeting that speaks longer is a machine's.
        public var greeting = 1500
        /// Silence after a greeting that is a person's.
        public var afterGreetingSilence = 800
        /// When it is given up.
        public var totalAnalysisTime = 5000
        /// Shorter sounds are no words.
        public var minimumWordLength = 100
        /// A longer word is a machine's.
        public var maximumWordLength = 5000
        /// So much silence divides two words.
        public var betweenWordsSilence = 50
        /// More words are a machine's.
        public var maximumWords = 4

        public init() {}
    }

    public enum Result: String, Sendable { case human, machine, notsure }

    public enum Reason: String, Sendable {
        /// Nobody said anything.
        case initialSilence = "initial_silence"
        /// A short greeting, then silence.
        case shortGreeting = "short_greeting"
        case longGreeting = "long_greeting"
        case tooManyWords = "too_many_words"
        case longWord = "long_word"
        /// The time was up.
        case tooLong = "too_long"
        /// A tone that asks for a message, or of a fax.
        case beep, fax
    }

    public struct Verdict: Sendable, Equatable {
        public var result: Result
        public var reason: Reason
        /// From the beginning, in ms.
        public var milliseconds: Int

        public init(_ result: Result, _ reason: Reason, milliseconds: Int) {
            (self.result, self.reason, self.milliseconds) = (result, reason, milliseconds)
        }
    }

    private static let frame = 20

    private let settings: Settings
    private var elapsed = 0
    /// Sound of words so far, and of the word under way with its pauses.
    private var spoken = 0
    private var word = 0
    private var pitched = 0
    private var words = 0
    private var silence = 0
    private var isCounted = false
    public private(set) var verdict: Verdict?

    public init(_ settings: Settings = Settings()) { self.settings = settings }

    /// The next frame; the verdict once, when it is known.
    public mutating func hear(isActive: Bool, isVoiced: Bool) -> Verdict? {
        guard verdict == nil else { return nil }
        elapsed += Self.frame
        if isActive {
            extendWord(isVoiced: isVoiced)
        } else {
            extendSilence()
        }
        if verdict == nil, elapsed >= settings.totalAnalysisTime { decide(.notsure, .tooLong) }
        return verdict
    }

    /// A tone that only machines make; nil when the verdict was known before.
    public mutating func hear(tone reason: Reason) -> Verdict? {
        guard verdict == nil else { return nil }
        decide(.machine, reason)
        return verdict
    }

    private mutating func extendWord(isVoiced: Bool) {
        silence = 0
        word += Self.frame
        if isVoiced { pitched += 1 }
        guard word >= settings.minimumWordLength, pitched >= 2 else { return }
        if isCounted {
            spoken += Self.frame
        } else {
            isCounted = true
            words += 1
            spoken += word
        }
        if words > settings.maximumWords {
            decide(.machine, .tooManyWords)
        } else if spoken > settings.greeting {
            decide(.machine, .longGreeting)
        } else if word > settings.maximumWordLength {
            decide(.machine, .longWord)
        }
    }

    private mutating func extendSilence() {
        silence += Self.frame
        if silence >= settings.betweenWordsSilence { (word, pitched, isCounted) = (0, 0, false) }
        if words == 0 {
            if silence >= settings.initialSilence, elapsed >= settings.initialSilence { decide(.machine, .initialSilence) }
        } else if silence >= settings.afterGreetingSilence {
            decide(.human, .shortGreeting)
        }
    }

    private mutating func decide(_ result: Result, _ reason: Reason) {
        verdict = Verdict(result, reason, milliseconds: elapsed)
    }
}
