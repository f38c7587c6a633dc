/// `dial`: rings one target or many, and joins the first that answers (and agrees) with the caller.
public struct Dial: Sendable, Hashable, OptionFields {
    public enum Strategy: String, Sendable, Hashable, OptionChoice {
        /// All at once.
        case all
        /// One after the other.
        case inOrder = "in_order"
        /// All of a group at once, the lowest group first.
        case groups
    }

    /// The number that who is called sees.
    public enum CallerID: String, Sendable, Hashable, OptionChoice {
        /// Who calls.
        case caller
        /// The number that was called.
        case called
        case anonymous
        /// That of `source`.
        case source
    }

    /// What the caller hears while it rings, once it has been answered; before, its own phone rings.
    public enum Ringback: String, Sendable, Hashable, OptionChoice {
        case tone, music, none
        /// What who is called says before it answers, for a caller that has not been answered, too; a tone until then.
        case earlyMedia = "early_media"
    }

    public struct Target: Sendable, Hashable, OptionFields {
        public var kind = Address.Kind.extension
        public var target = ""
        public var name: String?
        /// Milliseconds that it rings; `timeout` of the action without it.
        public var timeout: Int?
        public var group = 0

        public init() {}

        public var address: Address { Address(kind: kind, target: target, name: name) }

        mutating func visit(_ visitor: inout some OptionVisitor) {
            visitor.choice("type", &kind, .required)
            visitor.string("target", &target, .required, .short)
            visitor.string("name", &name, .short)
            visitor.integer("timeout", &timeout, in: 1000...600_000)
            visitor.integer("group", &group, .optional, in: 0...100)
        }
    }

    public var targets: [Target] = []
    public var strategy = Strategy.all
    /// Milliseconds that each target rings.
    public var timeout = 30_000
    /// Without it a `source` that is given, else the caller.
    public var callerID: CallerID?
    public var source: Address?
    public var ringback = Ringback.tone
    /// A sound instead of `ringback`, again and again.
    public var ringbackURL: String?
    /// Who answers hears this and presses `confirm_key`, or is not joined; the others go on ringing meanwhile.
    public var confirmText: String?
    public var confirmKey = "1"
    /// Milliseconds to press it.
    public var confirmTimeout = 10_000
    /// Who answers hears this before it is joined; the caller does not.
    public var whisperText: String?
    public var language: String?
    public var voiceID: String?
    /// The caller is hung up for the reason for which nobody was reached, when it has not been answered.
    public var relayReason = false
    public var answeredTargetID: String?
    public var busyTargetID: String?
    public var noAnswerTargetID: String?
    public var failedTargetID: String?
    /// Nobody has seen the call: no phone is registered, or none has said a word. Where there is none, that of `no_answer` or `failed`.
    public var unreachableTargetID: String?

    public init() {}

    /// The code of an outcome that nobody has seen the call.
    public static let unreachable = "unreachable"

    /// The targets that ring together, in the order of their turns.
    public var rounds: [[Target]] {
        switch strategy {
        case .all: [targets]
        case .inOrder: targets.map { [$0] }
        case .groups: Set(targets.map(\.group)).sorted().map { group in targets.filter { $0.group == group } }
        }
    }

    /// The number that who is called sees.
    public var shownCallerID: CallerID { callerID ?? (source == nil ? .caller : .source) }

    /// Whether who answers is asked or told something before it is joined.
    public var screens: Bool { confirmText != nil || whisperText != nil }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.objects("targets", &targets, .required)
        visitor.choice("strategy", &strategy, .optional)
        visitor.integer("timeout", &timeout, .optional, in: 1000...600_000)
        visitor.choice("caller_id", &callerID)
        visitor.address("source", &source)
        visitor.choice("ringback", &ringback, .optional)
        visitor.string("ringback_url", &ringbackURL, .url)
        visitor.string("confirm_text", &confirmText, .text)
        visitor.digits("confirm_key", &confirmKey, .optional)
        visitor.integer("confirm_timeout", &confirmTimeout, .optional, in: 1000...60_000)
        visitor.string("whisper_text", &whisperText, .text)
        visitor.string("language", &language, .short)
        visitor.string("voice_id", &voiceID, .short)
        visitor.flag("relay_reason", &relayReason)
        visitor.target("answered_target_id", &answeredTargetID)
        visitor.target("busy_target_id", &busyTargetID)
        visitor.target("no_answer_target_id", &noAnswerTargetID)
        visitor.target("failed_target_id", &failedTargetID)
        visitor.target("unreachable_target_id", &unreachableTargetID)
    }

    func check(_ reader: inout OptionReader) {
        if callerID == .source, source == nil {
            reader.note(reader.pointer.pointing(at: "source"), .missing, "caller_id is source, and there is none")
        }
        if confirmText != nil, confirmKey.isEmpty {
            reader.note(reader.pointer.pointing(at: "confirm_key"), .missing, "a key is needed to confirm with")
        }
    }

    func target(after outcome: Outcome) -> String? {
        if outcome.code == Self.unreachable, let unreachableTargetID { return unreachableTargetID }
        return switch outcome.result {
        case .completed: answeredTargetID
        case .busy, .declined: busyTargetID ?? failedTargetID
        case .noAnswer: noAnswerTargetID ?? failedTargetID
        case .failed, .canceled: failedTargetID
        case .callEnded: nil
        }
    }
}
