/// `recording_start`: records the call from here on; the flow goes on at once.
public struct RecordingStart: Sendable, Hashable, OptionFields {
    public enum Format: String, Sendable, Hashable, OptionChoice {
        case wav, ogg
        /// VoIPbin's, which nothing here writes.
        case mp3
    }

    public enum Layout: String, Sendable, Hashable, OptionChoice {
        /// What the caller says and what it hears, together.
        case mixed
        /// What it says left, what it hears right.
        case stereo
    }

    public enum EndKey: String, Sendable, Hashable, OptionChoice {
        case none, any
        case star = "*"
        case pound = "#"
    }

    public var format = Format.wav
    public var layout = Layout.mixed
    /// Seconds in which the caller says nothing; 0: never.
    public var endOfSilence = 0
    public var endOfKey = EndKey.none
    /// Seconds; 0: as long as the operator allows.
    public var duration = 0
    /// The caller hears a tone when it begins.
    public var beepStart = false
    /// False: keys are silence.
    public var digits = true
    /// A flow that runs, without the call, when the recording is there.
    public var onEndFlowID: String?

    public init() {}

    /// The flow that is to run at its end.
    public var successor: String? { ReservedID.meant(onEndFlowID) }

    /// The keys that end it.
    public var endKeys: String {
        switch endOfKey {
        case .none: ""
        case .any: "0123456789*#ABCD"
        case .star, .pound: endOfKey.rawValue
        }
    }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("format", &format, .optional)
        visitor.choice("layout", &layout, .optional)
        visitor.integer("end_of_silence", &endOfSilence, .optional, in: 0...86_400)
        visitor.choice("end_of_key", &endOfKey, .optional)
        visitor.integer("duration", &duration, .optional, in: 0...86_400)
        visitor.flag("beep_start", &beepStart)
        visitor.flag("digits", &digits)
        visitor.string("on_end_flow_id", &onEndFlowID, .identifier)
    }
}
