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
        case amd(AMD)
        case answer
        case beep
        case branch(Branch)
        case conditionDatetime(ConditionDatetime)
        case conditionVariable(ConditionVariable)
        case conferenceJoin(ConferenceJoin)
        case connect(Connect)
        case digitsReceive(DigitsReceive)
        case digitsSend(DigitsSend)
        case echo(Echo)
        case externalMediaStart(ExternalMediaStart)
        case externalMediaStop
        case fetchFlow(FetchFlow)
        case goto(Goto)
        case hangup(Hangup)
        case listenStart(ListenStart)
        case listenStop
        case mute
        case play(Play)
        case recordingStart(RecordingStart)
        case recordingStop
        case sleep(Sleep)
        case stop
        case talk(Talk)
        case transcribeStart(TranscribeStart)
        case transcribeStop
        case variableSet(VariableSet)
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
