/// `amd`: tells whether a person or a machine has answered; the result is in `voipbin.call.amd.result`.
public struct AMD: Sendable, Hashable, OptionFields {
    /// What is done when it was a machine.
    public enum MachineHandle: String, Sendable, Hashable, OptionChoice { case hangup, `continue` }

    public var machineHandle = MachineHandle.continue
    /// Goes on at once; the result comes while other actions are performed.
    public var async = false
    /// A machine's beep is waited for before the flow goes on.
    public var detectBeep = false
    /// Milliseconds for all of it, the beep included.
    public var timeout = 30_000
    public var initialSilence: Int?
    public var greeting: Int?
    public var afterGreetingSilence: Int?
    public var totalAnalysisTime: Int?
    public var minimumWordLength: Int?
    public var betweenWordsSilence: Int?
    public var maximumNumberOfWords: Int?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("machine_handle", &machineHandle, .optional)
        visitor.flag("async", &async)
        visitor.flag("detect_beep", &detectBeep)
        visitor.integer("timeout", &timeout, .optional, in: 1000...120_000)
        visitor.integer("initial_silence", &initialSilence, in: 100...30_000)
        visitor.integer("greeting", &greeting, in: 100...30_000)
        visitor.integer("after_greeting_silence", &afterGreetingSilence, in: 100...10_000)
        visitor.integer("total_analysis_time", &totalAnalysisTime, in: 500...60_000)
        visitor.integer("min_word_length", &minimumWordLength, in: 20...1000)
        visitor.integer("between_words_silence", &betweenWordsSilence, in: 20...1000)
        visitor.integer("maximum_number_of_words", &maximumNumberOfWords, in: 1...50)
    }
}

/// `listen_start`: tells of what is heard by events, until `listen_stop` or the end of the call.
public struct ListenStart: Sendable, Hashable, OptionFields {
    /// What can be listened for.
    public enum Sound: String, Sendable, Hashable, CaseIterable { case speech, silence, beep, fax }

    public var events: [String] = []
    /// Milliseconds that make a silence.
    public var silence = 3000

    public init() {}

    public var sounds: Set<Sound> { Set(events.compactMap(Sound.init)) }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.words("events", &events, Sound.allCases.map(\.rawValue))
        visitor.integer("silence", &silence, .optional, in: 100...600_000)
    }
}

/// `transcribe_start`: what is said on the call is written down and told by events, until `transcribe_stop` or its end.
public struct TranscribeStart: Sendable, Hashable, OptionFields {
    public enum Direction: String, Sendable, Hashable, OptionChoice { case `in`, out, both }

    /// `gcp` and `aws` are VoIPbin's; here they mean whoever the operator has.
    public enum Provider: String, Sendable, Hashable, OptionChoice { case sphinx, http, websocket, gcp, aws }

    /// BCP 47.
    public var language: String?
    public var direction = Direction.both
    public var provider: Provider?
    /// A recogniser of one's own, `http(s)://` or `ws(s)://`.
    public var providerURL: String?
    /// Words and phrases that are likely.
    public var hints: [String] = []
    /// Results that may still change are told, too.
    public var interim = false
    /// A flow that runs, without the call, when the transcription is over.
    public var onEndFlowID: String?

    public init() {}

    /// The flow that is to run at its end.
    public var successor: String? { ReservedID.meant(onEndFlowID) }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("language", &language, .short)
        visitor.choice("direction", &direction, .optional)
        visitor.choice("provider", &provider)
        visitor.string("provider_url", &providerURL, .url)
        visitor.strings("hints", &hints, .optional, .short)
        visitor.flag("interim", &interim)
        visitor.string("on_end_flow_id", &onEndFlowID, .identifier)
    }
}
