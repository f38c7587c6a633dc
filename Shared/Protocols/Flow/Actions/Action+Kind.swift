extension Action.Kind {
    public var type: ActionType {
        switch self {
        case .amd: .amd
        case .answer: .answer
        case .beep: .beep
        case .branch: .branch
        case .conditionDatetime: .conditionDatetime
        case .conditionVariable: .conditionVariable
        case .conferenceJoin: .conferenceJoin
        case .connect: .connect
        case .digitsReceive: .digitsReceive
        case .digitsSend: .digitsSend
        case .echo: .echo
        case .externalMediaStart: .externalMediaStart
        case .externalMediaStop: .externalMediaStop
        case .fetchFlow: .fetchFlow
        case .goto: .goto
        case .hangup: .hangup
        case .listenStart: .listenStart
        case .listenStop: .listenStop
        case .mute: .mute
        case .play: .play
        case .recordingStart: .recordingStart
        case .recordingStop: .recordingStop
        case .sleep: .sleep
        case .stop: .stop
        case .talk: .talk
        case .transcribeStart: .transcribeStart
        case .transcribeStop: .transcribeStop
        case .variableSet: .variableSet
        }
    }

    /// The action of a type with every option at its default.
    init(_ type: ActionType) {
        self =
            switch type {
            case .amd: .amd(AMD())
            case .answer: .answer
            case .beep: .beep
            case .branch: .branch(Branch())
            case .conditionDatetime: .conditionDatetime(ConditionDatetime())
            case .conditionVariable: .conditionVariable(ConditionVariable())
            case .conferenceJoin: .conferenceJoin(ConferenceJoin())
            case .connect: .connect(Connect())
            case .digitsReceive: .digitsReceive(DigitsReceive())
            case .digitsSend: .digitsSend(DigitsSend())
            case .echo: .echo(Echo())
            case .externalMediaStart: .externalMediaStart(ExternalMediaStart())
            case .externalMediaStop: .externalMediaStop
            case .fetchFlow: .fetchFlow(FetchFlow())
            case .goto: .goto(Goto())
            case .hangup: .hangup(Hangup())
            case .listenStart: .listenStart(ListenStart())
            case .listenStop: .listenStop
            case .mute: .mute
            case .play: .play(Play())
            case .recordingStart: .recordingStart(RecordingStart())
            case .recordingStop: .recordingStop
            case .sleep: .sleep(Sleep())
            case .stop: .stop
            case .talk: .talk(Talk())
            case .transcribeStart: .transcribeStart(TranscribeStart())
            case .transcribeStop: .transcribeStop
            case .variableSet: .variableSet(VariableSet())
            }
    }

    /// Lets a visitor read or write every option field.
    mutating func visit(_ visitor: inout some OptionVisitor) {
        switch self {
        case .answer, .beep, .externalMediaStop, .listenStop, .mute, .recordingStop, .stop, .transcribeStop:
            break
        case .amd(var option):
            option.visit(&visitor)
            self = .amd(option)
        case .branch(var option):
            option.visit(&visitor)
            self = .branch(option)
        case .conditionDatetime(var option):
            option.visit(&visitor)
            self = .conditionDatetime(option)
        case .conditionVariable(var option):
            option.visit(&visitor)
            self = .conditionVariable(option)
        case .conferenceJoin(var option):
            option.visit(&visitor)
            self = .conferenceJoin(option)
        case .connect(var option):
            option.visit(&visitor)
            self = .connect(option)
        case .digitsReceive(var option):
            option.visit(&visitor)
            self = .digitsReceive(option)
        case .digitsSend(var option):
            option.visit(&visitor)
            self = .digitsSend(option)
        case .echo(var option):
            option.visit(&visitor)
            self = .echo(option)
        case .externalMediaStart(var option):
            option.visit(&visitor)
            self = .externalMediaStart(option)
        case .fetchFlow(var option):
            option.visit(&visitor)
            self = .fetchFlow(option)
        case .goto(var option):
            option.visit(&visitor)
            self = .goto(option)
        case .hangup(var option):
            option.visit(&visitor)
            self = .hangup(option)
        case .listenStart(var option):
            option.visit(&visitor)
            self = .listenStart(option)
        case .play(var option):
            option.visit(&visitor)
            self = .play(option)
        case .recordingStart(var option):
            option.visit(&visitor)
            self = .recordingStart(option)
        case .sleep(var option):
            option.visit(&visitor)
            self = .sleep(option)
        case .talk(var option):
            option.visit(&visitor)
            self = .talk(option)
        case .transcribeStart(var option):
            option.visit(&visitor)
            self = .transcribeStart(option)
        case .variableSet(var option):
            option.visit(&visitor)
            self = .variableSet(option)
        }
    }
}
