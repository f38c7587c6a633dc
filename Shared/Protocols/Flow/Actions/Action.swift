/// One step of a flow: `{"id", "type", "option": {...}, "next_id"}`, the vocabulary of VoIPbin.
public struct Action: Sendable, Hashable {
    /// Unique within its list; what `next_id` and target ids refer to.
    public var id: String
    /// The action that follows instead of the next in the list, or one of the `ReservedID`s.
    public var nextID: String?
    public var kind: Kind

    public init(id: String, nextID: String? = nil, _ kind: Kind) {
        (self.id, self.nextID, self.kind) = (id, nextID, kind)
    }

    public var type: ActionType { kind.type }

    /// What is to be done. Whoever performs actions switches over this exhaustively, so a case without an executor
    /// does not compile.
    public enum Kind: Sendable, Hashable {
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
        case httpRequest(HTTPRequestAction)
        case listenStart(ListenStart)
        case listenStop
        case messageSend(MessageSend)
        case mute
        case play(Play)
        case playTone(PlayTone)
        case queueJoin(QueueJoin)
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
        case variableSet(VariableSet)
        case webhookSend(WebhookSend)
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

    public static func contains(_ id: String) -> Bool { id == start || id == finish || id == next }
}
