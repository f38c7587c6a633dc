// Actions of services that this platform does not have yet. They are validated like any other; performed, they fail with the code
// `unavailable`, and the flow decides what that means.

/// `email_send`
public struct EmailSend: Sendable, Hashable, OptionFields {
    public struct Attachment: Sendable, Hashable, OptionFields {
        public enum ReferenceType: String, Sendable, Hashable, OptionChoice { case recording }

        public var referenceType = ReferenceType.recording
        public var referenceID = ""

        public init() {}

        mutating func visit(_ visitor: inout some OptionVisitor) {
            visitor.choice("reference_type", &referenceType, .required)
            visitor.string("reference_id", &referenceID, .required, .short)
        }
    }

    public var destinations: [Address] = []
    public var subject = ""
    public var content = ""
    public var attachments: [Attachment] = []

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.addresses("destinations", &destinations, .required)
        visitor.string("subject", &subject, .required, .short)
        visitor.string("content", &content, .required, .value)
        visitor.objects("attachments", &attachments, .optional)
    }
}

/// `message_send`
public struct MessageSend: Sendable, Hashable, OptionFields {
    public var source: Address?
    public var destinations: [Address] = []
    public var text = ""

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.address("source", &source)
        visitor.addresses("destinations", &destinations, .required)
        visitor.string("text", &text, .required, .text)
    }
}

/// `conversation_send`
public struct ConversationSend: Sendable, Hashable, OptionFields {
    public var conversationID = ""
    public var text = ""
    public var sync = false

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("conversation_id", &conversationID, .required, .short)
        visitor.string("text", &text, .required, .text)
        visitor.flag("sync", &sync)
    }
}

/// `case_create`
public struct CaseCreate: Sendable, Hashable, OptionFields {
    public var name = ""
    public var detail: String?
    public var note: String?
    public var sync = false

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("name", &name, .required, .short)
        visitor.string("detail", &detail, .text)
        visitor.string("note", &note, .text)
        visitor.flag("sync", &sync)
    }
}

/// `queue_join`
public struct QueueJoin: Sendable, Hashable, OptionFields {
    public var queueID = ""

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("queue_id", &queueID, .required, .short)
    }
}

public enum AssistanceType: String, Sendable, Hashable, OptionChoice { case ai, team }

/// `ai_talk`
public struct AITalk: Sendable, Hashable, OptionFields {
    public var assistanceType: AssistanceType?
    public var assistanceID: String?
    public var aiID: String?
    /// Seconds.
    public var duration = 0

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("assistance_type", &assistanceType)
        visitor.string("assistance_id", &assistanceID, .short)
        visitor.string("ai_id", &aiID, .short)
        visitor.integer("duration", &duration, .optional, in: 0...86_400)
    }
}

/// `ai_task`
public struct AITask: Sendable, Hashable, OptionFields {
    public var assistanceType: AssistanceType?
    public var assistanceID: String?
    public var aiID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("assistance_type", &assistanceType)
        visitor.string("assistance_id", &assistanceID, .short)
        visitor.string("ai_id", &aiID, .short)
    }
}

/// `ai_summary`
public struct AISummary: Sendable, Hashable, OptionFields {
    /// What can be summed up.
    public enum ReferenceType: String, Sendable, Hashable, CaseIterable { case call, conference, recording, transcribe }

    public var onEndFlowID: String?
    public var referenceType: String?
    public var referenceID: String?
    public var language: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("on_end_flow_id", &onEndFlowID, .identifier)
        visitor.string("reference_type", &referenceType, .short)
        visitor.string("reference_id", &referenceID, .short)
        visitor.string("language", &language, .short)
    }

    func check(_ reader: inout OptionReader) {
        guard let referenceType, !referenceType.contains("${"), ReferenceType(rawValue: referenceType) == nil else { return }
        let words = ReferenceType.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        reader.note(
            reader.pointer.pointing(at: "reference_type"), .invalidValue, "one of \(words) is expected here, not \"\(referenceType)\"")
    }
}

/// `transcribe_recording`
public struct TranscribeRecording: Sendable, Hashable, OptionFields {
    public var language: String?
    public var onEndFlowID: String?
    public var provider: TranscribeStart.Provider?
    public var direction: TranscribeStart.Direction?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("language", &language, .short)
        visitor.string("on_end_flow_id", &onEndFlowID, .identifier)
        visitor.choice("provider", &provider)
        visitor.choice("direction", &direction)
    }
}
