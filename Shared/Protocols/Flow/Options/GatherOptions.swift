/// `gather`: asks, and takes digits or speech for an answer; asks again when there is none, or none that is meant.
public struct Gather: Sendable, Hashable, OptionFields {
    public enum Input: String, Sendable, Hashable, CaseIterable { case digits, speech }

    /// One of the answers that are meant.
    public struct Choice: Sendable, Hashable, OptionFields {
        /// What the flow is told; the digits, or the first phrase, without it.
        public var value: String?
        public var digits: String?
        /// Any of these, in whatever case; also as a part of what is said.
        public var phrases: [String] = []
        public var targetID: String?

        public init() {}

        public var name: String { value ?? digits ?? phrases.first ?? "" }

        mutating func visit(_ visitor: inout some OptionVisitor) {
            visitor.string("value", &value, .short)
            visitor.string("digits", &digits, .identifier)
            visitor.strings("phrases", &phrases, .optional, .short)
            visitor.target("target_id", &targetID)
        }
    }

    public var inputs = [Input.digits.rawValue]
    /// What is asked: spoken, or played; nothing when there is neither.
    public var text: String?
    public var streamURLs: [String] = []
    public var language: String?
    public var provider: String?
    public var voiceID: String?
    /// A key or a voice ends the prompt.
    public var bargeIn = true
    /// Milliseconds of silence after the prompt that are no answer.
    public var timeout = 5000

    /// So many digits are enough; without it the choices tell, else the key and the time.
    public var length: Int?
    public var minimumLength = 1
    /// Any of these ends the digits, and is not one of them.
    public var key = "#"
    /// Milliseconds between two digits.
    public var digitTimeout = 3000

    /// Milliseconds that an answer may take to be spoken.
    public var speechDuration = 15_000
    public var speechLanguage: String?
    public var speechProvider: TranscribeStart.Provider?
    public var speechProviderURL: String?
    /// Words and phrases that are likely; those of the choices are, too.
    public var hints: [String] = []
    /// What is understood is told while it is spoken.
    public var interim = false
    /// Speech that the recogniser is less sure of is none; 0 to 1.
    public var confidence: Double?

    /// How often it is asked.
    public var attempts = 1
    /// Said instead of the question when there was no answer, or none that was meant.
    public var noInputText: String?
    public var noMatchText: String?
    public var choices: [Choice] = []
    /// Where to go when there was none in the end; the next action without it.
    public var noInputTargetID: String?
    public var noMatchTargetID: String?
    public var keys: KeyVisibility?
    /// Digits of before, which count: the platform's own field.
    public var typedAhead = ""

    public init() {}

    public func takes(_ input: Input) -> Bool { inputs.contains(input.rawValue) }

    public var allHints: [String] { hints + choices.flatMap(\.phrases) }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        if inputs.isEmpty { inputs = [Input.digits.rawValue] }
        visitor.words("input", &inputs, Input.allCases.map(\.rawValue))
        visitor.string("text", &text, .text)
        visitor.strings("stream_urls", &streamURLs, .optional, .url)
        visitor.string("language", &language, .short)
        visitor.string("provider", &provider, .short)
        visitor.string("voice_id", &voiceID, .short)
        visitor.flag("barge_in", &bargeIn)
        visitor.integer("timeout", &timeout, .optional, in: 0...600_000)
        visitor.integer("length", &length, in: 1...100)
        visitor.integer("min_length", &minimumLength, .optional, in: 1...100)
        visitor.digits("key", &key, .optional)
        visitor.integer("digit_timeout", &digitTimeout, .optional, in: 100...60_000)
        visitor.integer("speech_duration", &speechDuration, .optional, in: 1000...120_000)
        visitor.string("speech_language", &speechLanguage, .short)
        visitor.choice("speech_provider", &speechProvider)
        visitor.string("speech_provider_url", &speechProviderURL, .url)
        visitor.strings("hints", &hints, .optional, .short)
        visitor.flag("interim", &interim)
        visitor.number("confidence", &confidence)
        visitor.integer("attempts", &attempts, .optional, in: 1...10)
        visitor.string("no_input_text", &noInputText, .text)
        visitor.string("no_match_text", &noMatchText, .text)
        visitor.objects("choices", &choices, .optional)
        visitor.target("no_input_target_id", &noInputTargetID)
        visitor.target("no_match_target_id", &noMatchTargetID)
        visitor.choice("keys", &keys)
        visitor.digits("typed_ahead", &typedAhead, .optional)
    }

    func check(_ reader: inout OptionReader) {
        if text != nil, !streamURLs.isEmpty {
            reader.note(reader.pointer.pointing(at: "stream_urls"), .invalidValue, "give either text or stream_urls")
        }
        if let length, length < minimumLength {
            reader.note(reader.pointer.pointing(at: "min_length"), .outOfRange, "min_length is more than length")
        }
        if let confidence, !(0...1).contains(confidence) {
            reader.note(reader.pointer.pointing(at: "confidence"), .outOfRange, "\(confidence) is not between 0 and 1")
        }
        for (index, choice) in choices.enumerated() {
            let place = reader.pointer.pointing(at: "choices").pointing(at: index)
            if choice.digits == nil, choice.phrases.isEmpty { reader.note(place, .missing, "a choice has digits or phrases") }
            if let digits = choice.digits, !digits.allSatisfy(Keypad.has) {
                reader.note(place.pointing(at: "digits"), .invalidValue, "only the keys 0-9, A-D, * and # can be pressed")
            }
        }
    }

    /// Where the flow goes on after that outcome; nil: at the next action.
    func target(after outcome: Outcome) -> String? {
        switch outcome.code {
        case Gathering.noInput: return noInputTargetID
        case Gathering.noMatch: return noMatchTargetID
        default:
            guard outcome.result == .completed, case .integer(let index)? = outcome.data?["choice_index"] else { return nil }
            return Int(exactly: index).flatMap { choices.indices.contains($0) ? choices[$0].targetID : nil }
        }
    }
}
