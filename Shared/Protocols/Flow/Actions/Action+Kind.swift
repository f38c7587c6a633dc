extension Action.Kind {
    public var type: ActionType {
        switch self {
        case .aiSummary: .aiSummary
        case .aiTalk: .aiTalk
        case .aiTask: .aiTask
        case .amd: .amd
        case .answer: .answer
        case .beep: .beep
        case .block: .block
        case .branch: .branch
        case .call: .call
        case .caseCreate: .caseCreate
        case .collect: .collect
        case .condition: .condition
        case .conditionCallDigits: .conditionCallDigits
        case .conditionCallStatus: .conditionCallStatus
        case .conditionDatetime: .conditionDatetime
        case .conditionVariable: .conditionVariable
        case .confbridgeJoin: .confbridgeJoin
        case .conferenceJoin: .conferenceJoin
        case .connect: .connect
        case .conversationSend: .conversationSend
        case .dial: .dial
        case .digitsReceive: .digitsReceive
        case .digitsSend: .digitsSend
        case .echo: .echo
        case .emailSend: .emailSend
        case .externalMediaStart: .externalMediaStart
        case .externalMediaStop: .externalMediaStop
        case .fetch: .fetch
        case .fetchFlow: .fetchFlow
        case .gather: .gather
        case .goto: .goto
        case .hangup: .hangup
        case .hold: .hold
        case .httpRequest: .httpRequest
        case .listenStart: .listenStart
        case .listenStop: .listenStop
        case .meet: .meet
        case .messageSend: .messageSend
        case .mute: .mute
        case .parallel: .parallel
        case .park: .park
        case .play: .play
        case .playTone: .playTone
        case .queueJoin: .queueJoin
        case .record: .record
        case .recordingStart: .recordingStart
        case .recordingStop: .recordingStop
        case .schedule: .schedule
        case .setHeader: .setHeader
        case .sleep: .sleep
        case .stop: .stop
        case .streamEcho: .streamEcho
        case .talk: .talk
        case .transcribeRecording: .transcribeRecording
        case .transcribeStart: .transcribeStart
        case .transcribeStop: .transcribeStop
        case .transfer: .transfer
        case .variableSet: .variableSet
        case .voicemail: .voicemail
        case .voicemailCheck: .voicemailCheck
        case .webhookSend: .webhookSend
        }
    }

    /// The action of a type with every option at its default.
    init(_ type: ActionType) {
        self =
            switch type {
            case .aiSummary: .aiSummary(AISummary())
            case .aiTalk: .aiTalk(AITalk())
            case .aiTask: .aiTask(AITask())
            case .amd: .amd(AMD())
            case .answer: .answer
            case .beep: .beep
            case .block: .block
            case .branch: .branch(Branch())
            case .call: .call(CallOut())
            case .caseCreate: .caseCreate(CaseCreate())
            case .collect: .collect(Collect())
            case .condition: .condition(Condition())
            case .conditionCallDigits: .conditionCallDigits(ConditionCallDigits())
            case .conditionCallStatus: .conditionCallStatus(ConditionCallStatus())
            case .conditionDatetime: .conditionDatetime(ConditionDatetime())
            case .conditionVariable: .conditionVariable(ConditionVariable())
            case .confbridgeJoin: .confbridgeJoin(ConfbridgeJoin())
            case .conferenceJoin: .conferenceJoin(ConferenceJoin())
            case .connect: .connect(Connect())
            case .conversationSend: .conversationSend(ConversationSend())
            case .dial: .dial(Dial())
            case .digitsReceive: .digitsReceive(DigitsReceive())
            case .digitsSend: .digitsSend(DigitsSend())
            case .echo: .echo(Echo())
            case .emailSend: .emailSend(EmailSend())
            case .externalMediaStart: .externalMediaStart(ExternalMediaStart())
            case .externalMediaStop: .externalMediaStop
            case .fetch: .fetch(Fetch())
            case .fetchFlow: .fetchFlow(FetchFlow())
            case .gather: .gather(Gather())
            case .goto: .goto(Goto())
            case .hangup: .hangup(Hangup())
            case .hold: .hold(Hold())
            case .httpRequest: .httpRequest(HTTPRequestAction())
            case .listenStart: .listenStart(ListenStart())
            case .listenStop: .listenStop
            case .meet: .meet(Meet())
            case .messageSend: .messageSend(MessageSend())
            case .mute: .mute
            case .parallel: .parallel(Parallel())
            case .park: .park(Park())
            case .play: .play(Play())
            case .playTone: .playTone(PlayTone())
            case .queueJoin: .queueJoin(QueueJoin())
            case .record: .record(Record())
            case .recordingStart: .recordingStart(RecordingStart())
            case .recordingStop: .recordingStop
            case .schedule: .schedule(Schedule())
            case .setHeader: .setHeader(SetHeader())
            case .sleep: .sleep(Sleep())
            case .stop: .stop
            case .streamEcho: .streamEcho(Echo())
            case .talk: .talk(Talk())
            case .transcribeRecording: .transcribeRecording(TranscribeRecording())
            case .transcribeStart: .transcribeStart(TranscribeStart())
            case .transcribeStop: .transcribeStop
            case .transfer: .transfer(Transfer())
            case .variableSet: .variableSet(VariableSet())
            case .voicemail: .voicemail(Voicemail())
            case .voicemailCheck: .voicemailCheck(VoicemailCheck())
            case .webhookSend: .webhookSend(WebhookSend())
            }
    }

    /// Lets a visitor read or write every option field.
    mutating func visit(_ visitor: inout some OptionVisitor) {
        switch self {
        case .answer, .beep, .block, .externalMediaStop, .listenStop, .mute, .recordingStop, .stop, .transcribeStop:
            break
        case .aiSummary(var option):
            option.visit(&visitor)
            self = .aiSummary(option)
        case .aiTalk(var option):
            option.visit(&visitor)
            self = .aiTalk(option)
        case .aiTask(var option):
            option.visit(&visitor)
            self = .aiTask(option)
        case .amd(var option):
            option.visit(&visitor)
            self = .amd(option)
        case .branch(var option):
            option.visit(&visitor)
            self = .branch(option)
        case .call(var option):
            option.visit(&visitor)
            self = .call(option)
        case .caseCreate(var option):
            option.visit(&visitor)
            self = .caseCreate(option)
        case .collect(var option):
            option.visit(&visitor)
            self = .collect(option)
        case .condition(var option):
            option.visit(&visitor)
            self = .condition(option)
        case .conditionCallDigits(var option):
            option.visit(&visitor)
            self = .conditionCallDigits(option)
        case .conditionCallStatus(var option):
            option.visit(&visitor)
            self = .conditionCallStatus(option)
        case .conditionDatetime(var option):
            option.visit(&visitor)
            self = .conditionDatetime(option)
        case .conditionVariable(var option):
            option.visit(&visitor)
            self = .conditionVariable(option)
        case .confbridgeJoin(var option):
            option.visit(&visitor)
            self = .confbridgeJoin(option)
        case .conferenceJoin(var option):
            option.visit(&visitor)
            self = .conferenceJoin(option)
        case .connect(var option):
            option.visit(&visitor)
            self = .connect(option)
        case .conversationSend(var option):
            option.visit(&visitor)
            self = .conversationSend(option)
        case .dial(var option):
            option.visit(&visitor)
            self = .dial(option)
        case .digitsReceive(var option):
            option.visit(&visitor)
            self = .digitsReceive(option)
        case .digitsSend(var option):
            option.visit(&visitor)
            self = .digitsSend(option)
        case .echo(var option):
            option.visit(&visitor)
            self = .echo(option)
        case .emailSend(var option):
            option.visit(&visitor)
            self = .emailSend(option)
        case .externalMediaStart(var option):
            option.visit(&visitor)
            self = .externalMediaStart(option)
        case .fetch(var option):
            option.visit(&visitor)
            self = .fetch(option)
        case .fetchFlow(var option):
            option.visit(&visitor)
            self = .fetchFlow(option)
        case .gather(var option):
            option.visit(&visitor)
            self = .gather(option)
        case .goto(var option):
            option.visit(&visitor)
            self = .goto(option)
        case .hangup(var option):
            option.visit(&visitor)
            self = .hangup(option)
        case .hold(var option):
            option.visit(&visitor)
            self = .hold(option)
        case .httpRequest(var option):
            option.visit(&visitor)
            self = .httpRequest(option)
        case .listenStart(var option):
            option.visit(&visitor)
            self = .listenStart(option)
        case .meet(var option):
            option.visit(&visitor)
            self = .meet(option)
        case .messageSend(var option):
            option.visit(&visitor)
            self = .messageSend(option)
        case .parallel(var option):
            option.visit(&visitor)
            self = .parallel(option)
        case .park(var option):
            option.visit(&visitor)
            self = .park(option)
        case .play(var option):
            option.visit(&visitor)
            self = .play(option)
        case .playTone(var option):
            option.visit(&visitor)
            self = .playTone(option)
        case .queueJoin(var option):
            option.visit(&visitor)
            self = .queueJoin(option)
        case .record(var option):
            option.visit(&visitor)
            self = .record(option)
        case .recordingStart(var option):
            option.visit(&visitor)
            self = .recordingStart(option)
        case .schedule(var option):
            option.visit(&visitor)
            self = .schedule(option)
        case .setHeader(var option):
            option.visit(&visitor)
            self = .setHeader(option)
        case .sleep(var option):
            option.visit(&visitor)
            self = .sleep(option)
        case .streamEcho(var option):
            option.visit(&visitor)
            self = .streamEcho(option)
        case .talk(var option):
            option.visit(&visitor)
            self = .talk(option)
        case .transcribeRecording(var option):
            option.visit(&visitor)
            self = .transcribeRecording(option)
        case .transcribeStart(var option):
            option.visit(&visitor)
            self = .transcribeStart(option)
        case .transfer(var option):
            option.visit(&visitor)
            self = .transfer(option)
        case .variableSet(var option):
            option.visit(&visitor)
            self = .variableSet(option)
        case .voicemail(var option):
            option.visit(&visitor)
            self = .voicemail(option)
        case .voicemailCheck(var option):
            option.visit(&visitor)
            self = .voicemailCheck(option)
        case .webhookSend(var option):
            option.visit(&visitor)
            self = .webhookSend(option)
        }
    }
}
