/// `collect`: asks for one thing, as whatever it is asked on allows, until the answer is one; a variable has it then.
public struct Collect: Sendable, Hashable, OptionFields {
    public enum Kind: String, Sendable, Hashable, OptionChoice {
        /// As they were pressed.
        case digits
        /// What is said.
        case text
        /// Pressed; `*` is the decimal point.
        case number
        case yesNo = "yes_no"
        /// Eight keys, in the order of `date_format`; the variable has YYYY-MM-DD.
        case date
        /// Four keys; the variable has HH:MM.
        case time
    }

    public enum DateFormat: String, Sendable, Hashable, OptionChoice { case ymd, dmy, mdy }

    public var prompt = ""
    /// Sounds that are played on a call in its stead.
    public var promptURLs: [String] = []
    public var variable = ""
    public var kind = Kind.text
    /// How often it is asked again.
    public var retries = 2
    /// Said before it is asked again when the answer was none of that kind.
    public var invalidText: String?
    /// Milliseconds.
    public var timeout = 5000
    /// Of digits, or characters of a text.
    public var minimumLength = 1
    public var maximumLength: Int?
    /// Of a number.
    public var minimum: Double?
    public var maximum: Double?
    /// What digits or a text must be like: `*` is anything, `?` any one character.
    public var pattern: String?
    public var dateFormat = DateFormat.ymd
    /// What counts as yes and no, besides the keys 1 and 2.
    public var yesPhrases = ["yes", "yeah", "correct", "right", "okay"]
    public var noPhrases = ["no", "nope", "wrong"]
    public var language: String?
    public var voiceID: String?
    public var keys: KeyVisibility?
    public var noInputTargetID: String?
    public var invalidTargetID: String?
    public var failedTargetID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("prompt", &prompt, .required, .text)
        visitor.strings("prompt_urls", &promptURLs, .optional, .url)
        visitor.string("variable", &variable, .required, .short)
        visitor.choice("kind", &kind, .optional)
        visitor.integer("retries", &retries, .optional, in: 0...9)
        visitor.string("invalid_text", &invalidText, .text)
        visitor.integer("timeout", &timeout, .optional, in: 0...600_000)
        visitor.integer("min_length", &minimumLength, .optional, in: 1...1000)
        visitor.integer("max_length", &maximumLength, in: 1...1000)
        visitor.number("min", &minimum)
        visitor.number("max", &maximum)
        visitor.string("pattern", &pattern, .short)
        visitor.choice("date_format", &dateFormat, .optional)
        visitor.strings("yes_phrases", &yesPhrases, .optional, .short)
        visitor.strings("no_phrases", &noPhrases, .optional, .short)
        visitor.string("language", &language, .short)
        visitor.string("voice_id", &voiceID, .short)
        visitor.choice("keys", &keys)
        visitor.target("no_input_target_id", &noInputTargetID)
        visitor.target("invalid_target_id", &invalidTargetID)
        visitor.target("failed_target_id", &failedTargetID)
    }

    func check(_ reader: inout OptionReader) {
        func note(_ name: String, _ code: Problem.Code, _ detail: String) { reader.note(reader.pointer.pointing(at: name), code, detail) }
        if let maximumLength, maximumLength < minimumLength { note("max_length", .outOfRange, "max_length is less than min_length") }
        if let minimum, let maximum, maximum < minimum { note("max", .outOfRange, "max is less than min") }
        if kind != .number, minimum != nil || maximum != nil { note(minimum != nil ? "min" : "max", .invalidValue, "only a number is compared") }
        reader.noteReserved(variable, at: "variable")
        if kind != .digits, kind != .text, pattern != nil { note("pattern", .invalidValue, "only digits and texts are like a pattern") }
    }

    func target(after outcome: Outcome) -> String? {
        guard outcome.result == .failed else { return nil }
        return switch outcome.code {
        case Gathering.noInput: noInputTargetID ?? failedTargetID
        case CollectWork.invalid: invalidTargetID ?? failedTargetID
        default: failedTargetID
        }
    }
}
