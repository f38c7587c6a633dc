/// One step of a flow: `{"id", "type", "option": {...}, "next_id"}`, the vocabulary of VoIPbin.
public struct Action: Sendable {
    /// One reference: an action is passed on, kept and told of many times for each time that it is looked at.
    private final class Content: Sendable {
        let id: String
        let nextID: String?
        let kind: Kind

        init(_ id: String, _ nextID: String?, _ kind: Kind) { (self.id, self.nextID, self.kind) = (id, nextID, kind) }
    }

    private var content: Content

    /// Unique within its list; what `next_id` and target ids refer to.
    public var id: String {
        get { content.id }
        set { content = Content(newValue, nextID, kind) }
    }

    /// The action that follows instead of the next in the list, or one of the `ReservedID`s.
    public var nextID: String? {
        get { content.nextID }
        set { content = Content(id, newValue, kind) }
    }

    public var kind: Kind {
        get { content.kind }
        set { content = Content(id, nextID, newValue) }
    }

    public init(id: String, nextID: String? = nil, _ kind: Kind) { content = Content(id, nextID, kind) }

    public var type: ActionType { kind.type }

    /// What is to be done. Whoever performs actions switches over this exhaustively, so a case without an executor
    /// does not compile.
    ///
    /// Indirect: an action is passed on many times for each time that its options are looked at, and then is one reference.
    public indirect enum Kind: Sendable, Hashable {
        case aiSummary(AISummary)
        case aiTalk(AITalk)
        case aiTask(AITask)
        case amd(AMD)
        case answer
        case beep
        case block
        case branch(Branch)
        case call(CallOut)
        case caseCreate(CaseCreate)
        case collect(Collect)
        case condition(Condition)
        case conditionCallDigits(ConditionCallDigits)
        case conditionCallStatus(ConditionCallStatus)
        case conditionDatetime(ConditionDatetime)
        case conditionVariable(ConditionVariable)
        case confbridgeJoin(ConfbridgeJoin)
        case conferenceJoin(ConferenceJoin)
        case connect(Connect)
        case conversationSend(ConversationSend)
        case dial(Dial)
        case digitsReceive(DigitsReceive)
        case digitsSend(DigitsSend)
        case echo(Echo)
        case emailSend(EmailSend)
        case externalMediaStart(ExternalMediaStart)
        case externalMediaStop
        case fetch(Fetch)
        case fetchFlow(FetchFlow)
        case gather(Gather)
        case goto(Goto)
        case hangup(Hangup)
        case hold(Hold)
        case httpRequest(HTTPRequestAction)
        case listenStart(ListenStart)
        case listenStop
        case meet(Meet)
        case messageSend(MessageSend)
        case mute
        case parallel(Parallel)
        case park(Park)
        case play(Play)
        case playTone(PlayTone)
        case queueJoin(QueueJoin)
        case record(Record)
        case recordingStart(RecordingStart)
        case recordingStop
        case schedule(Schedule)
        case setHeader(SetHeader)
        case sleep(Sleep)
        case stop
        case streamEcho(Echo)
        case talk(Talk)
        case transcribeRecording(TranscribeRecording)
        case transcribeStart(TranscribeStart)
        case transcribeStop
        case transfer(Transfer)
        case variableSet(VariableSet)
        case voicemail(Voicemail)
        case voicemailCheck(VoicemailCheck)
        case webhookSend(WebhookSend)
    }
}

extension Action: Hashable {
    public static func == (left: Action, right: Action) -> Bool {
        left.content === right.content || (left.id == right.id && left.nextID == right.nextID && left.kind == right.kind)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(nextID)
        hasher.combine(kind)
    }
}

/// Ids that every list of actions has without naming them.
public enum ReservedID {
    /// Go's zero value, which exported flows carry where nothing is meant.
    public static let none = "00000000-0000-0000-0000-000000000000"
    /// The first action of the list.
    public static let start = "00000000-0000-0000-0000-000000000001"
    /// The end of the run.
    public static let finish = "00000000-0000-0000-0000-000000000002"
    /// The action after the current one in the list.
    public static let next = "00000000-0000-0000-0000-000000000003"

    /// The id, unless it means none.
    static func meant(_ id: String?) -> String? { id == none || id?.isEmpty == true ? nil : id }

    public static func contains(_ id: String) -> Bool { id == start || id == finish || id == next }
}
