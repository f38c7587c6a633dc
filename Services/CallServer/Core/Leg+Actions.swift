import Contracts
import Deadlines
import Flow

/// Performing the actions of a flow: a step comes from FlowManager, its outcome goes back and brings the next.
extension Leg {
    mutating func startRun(into effects: inout [LegEffect]) {
        guard let program, !program.isStarted else { return }
        self.program?.isStarted = true
        effects.append(.startRun)
    }

    mutating func accept(_ step: RunStep, at moment: Moment, into effects: inout [LegEffect]) {
        guard isOfItsRun(step, into: &effects) else { return }
        flowAttempts = 0
        let outcome = pendingOutcome
        pendingOutcome = nil
        deadlines[.flowRetry] = nil
        let isNew = record.runID != step.runID
        record.runID = step.runID
        // No event of an answered call's may come for long.
        if isNew, phase == .up { effects.append(.keepRecord(record, sequence: sequence)) }
        if let waiting = step.waiting {
            // A web server is asked on the flow's behalf: who has its answer by then tells it, or lets us ask again.
            flowPolls = (flowPolls ?? 0) + 1
            pendingOutcome = outcome
            deadlines[.flowRetry] = moment.now + .milliseconds(waiting)
            return
        }
        flowPolls = nil
        guard let action = step.action else {
            performing = nil
            flowEnded(at: moment, into: &effects)
            return
        }
        // A repeated answer to a step that is being performed changes nothing.
        if let performing, performing.step >= step.step { return watch(performing.watch, at: moment) }
        performing = Performing(runID: step.runID, step: step.step, action: action)
        left = nil
        watch(step.watch, at: moment)
        tellOfSecret(into: &effects)
        proceed(at: moment, into: &effects)
    }

    /// FlowManager is away: ask again, later and later; a call whose flow cannot go on for long ends. Who is not answered yet is
    /// rather told at once that the service is away than kept waiting.
    mutating func stepFailed(_ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) {
        guard !closingFailed(error, at: moment, into: &effects) else { return }
        flowAttempts += 1
        guard [.unavailable, .timeout].contains(error.code), flowAttempts <= (phase == .up ? limits.flowRetries : 1) else {
            performing = nil
            refusal = Self.status(of: error)
            flowEnded(at: moment, into: &effects)
            return
        }
        deadlines[.flowRetry] = moment.now + min(.milliseconds(100 << min(flowAttempts, 6)), Self.longestFlowPause)
    }

    /// Whoever speaks waits for the next step: FlowManager, and its database, are missed no longer than they are away.
    static let longestFlowPause = Interval.milliseconds(500)

    func sendDigits(_ option: DigitsSend, into effects: inout [LegEffect]) {
        guard let performing else { return }
        effects.append(.sendDigits(
            option.digits, duration: option.duration, interval: option.interval, runID: performing.runID, step: performing.step))
    }

    mutating func askFlow(into effects: inout [LegEffect]) {
        if let performing, let pendingOutcome {
            effects.append(.advance(runID: performing.runID, step: performing.step, pendingOutcome))
        } else if let performing {
            if performing.watch != nil { effects.append(.watchRun(runID: performing.runID)) }
        } else if closing != nil {
            tellClosing(into: &effects)
        } else {
            effects.append(.startRun)
        }
    }

    private mutating func flowEnded(at moment: Moment, into effects: inout [LegEffect]) {
        if phase == .up {
            end(.completed, Status(code: 200, cause: left?.cause ?? 16), by: left?.by ?? "platform", at: moment, into: &effects)
        } else {
            refuse(refusal, at: moment, into: &effects)
        }
    }

    /// Ends the current action and asks for the next.
    mutating func finish(_ outcome: Outcome, at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, pendingOutcome == nil else { return }
        let outcome = withFindings(outcome)
        guard !holds(outcome) else { return }
        deadlines[.action] = nil
        deadlines[.play] = nil
        if current.watch != nil { deadlines[.flowRetry] = nil }
        if let playID = current.playID {
            performing?.playID = nil
            effects.append(.stopPlay(playID: playID))
        }
        if current.action.kind.talksWithOthers {
            // What was pressed there was meant for somebody else.
            digits = ""
        }
        leavePeer(into: &effects)
        if seat.conferenceID != nil || isElsewhere, phase == .up {
            move(roomID: ownRoomID, instance: placement.mixer, conferenceID: nil, into: &effects)
        }
        pendingOutcome = outcome
        effects.append(.advance(runID: current.runID, step: current.step, outcome))
    }

    /// Starts the current action when everything it waits for is there.
    mutating func proceed(at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, pendingOutcome == nil, phase != .ended, seat.supervises == nil else { return }
        guard !current.isStarted else { return }
        if current.action.kind.needsSound, !isTalking {
            requestAnswer(at: moment, into: &effects)
            guard isTalking else { return }
            // Answering may itself have come here again.
            guard performing?.isStarted == false else { return }
        }
        performing?.isStarted = true
        start(current.action, at: moment, into: &effects)
    }

    private mutating func start(_ action: Action, at moment: Moment, into effects: inout [LegEffect]) {
        switch action.kind {
        case .answer:
            finish(.completed, at: moment, into: &effects)
        case .amd(let option):
            detectMachine(option, at: moment, into: &effects)
        case .listenStart(let option):
            let sounds = option.sounds
            listen(
                for: Watch(
                    id: "", speech: sounds.contains(.speech), silence: sounds.contains(.silence) ? option.silence : nil,
                    beep: sounds.contains(.beep), fax: sounds.contains(.fax)), into: &effects)
            // The room says whether it does; one on the way to another room is asked there.
            if !isSeated { finish(.completed, at: moment, into: &effects) }
        case .transcribeStart(let option):
            transcribe(option, at: moment, into: &effects)
            if !isSeated { finish(transcribing, at: moment, into: &effects) }
        case .transcribeStop:
            transcribe(nil as Transcription?, at: moment, into: &effects)
            finish(.completed, at: moment, into: &effects)
        case .listenStop:
            listen(for: nil, into: &effects)
            finish(.completed, at: moment, into: &effects)
        case .playTone(let option):
            playTone(option, at: moment, into: &effects)
        case .setHeader(let option):
            setHeader(option, at: moment, into: &effects)
        case .beep, .talk, .play:
            if let prompt = Self.prompt(of: action.kind) {
                play(prompt.sources, stopOnDigit: prompt.stopsOnDigit, at: moment, into: &effects)
            }
            if case .talk(let option) = action.kind, option.async {
                performing?.playID = nil
                finish(.completed, at: moment, into: &effects)
            }
        case .digitsReceive(let option):
            deadlines[.action] = moment.now + .milliseconds(option.duration)
            takeDigits(at: moment, into: &effects)
        case .gather(let option):
            gather(option, at: moment, into: &effects)
        case .digitsSend(let option):
            sendDigits(option, into: &effects)
            let each = option.duration + option.interval
            deadlines[.action] = moment.now + .milliseconds(each * option.digits.utf8.count)
        case .echo(let option), .streamEcho(let option):
            effects.append(.setParticipant(muted: nil, echo: true))
            deadlines[.action] = moment.now + .milliseconds(option.duration)
        case .sleep(let option):
            deadlines[.action] = moment.now + .milliseconds(option.duration)
        case .mute:
            mute(true, into: &effects)
            finish(.completed, at: moment, into: &effects)
        case .hold(let option):
            hold(option, at: moment, into: &effects)
        case .meet(let option):
            meet(option, at: moment, into: &effects)
        case .record(let option):
            record(option, at: moment, into: &effects)
        case .recordingStart(let option):
            startRecording(option, into: &effects)
        case .recordingStop:
            effects.append(.stopRecordings(step: performing?.step ?? 0))
        case .externalMediaStart(let option):
            effects.append(.startStream(stream(option, step: performing?.step ?? 0)))
        case .externalMediaStop:
            stopStreams(into: &effects)
            finish(.completed, at: moment, into: &effects)
        case .dial(let option):
            dial(option, at: moment, into: &effects)
        case .connect(let option):
            connect(option, at: moment, into: &effects)
        case .transfer(let option):
            refer(option, at: moment, into: &effects)
        case .conferenceJoin(let option):
            move(roomID: "", instance: placement.mixer, conferenceID: option.conferenceID, into: &effects)
        case .confbridgeJoin(let option):
            move(
                roomID: "", instance: placement.mixer, conferenceID: JoinConference.confbridge(option.confbridgeID), into: &effects)
        case .hangup(let option):
            if let other = option.referenceID, option.reason == nil { return effects.append(.copyCause(of: other)) }
            hangUp(option.cause, at: moment, into: &effects)
        case .aiSummary, .aiTalk, .aiTask, .block, .branch, .call, .caseCreate, .collect, .condition, .conditionCallDigits, .conditionCallStatus,
            .conditionDatetime, .conditionVariable, .conversationSend, .emailSend, .fetch, .fetchFlow, .goto, .httpRequest,
            .messageSend, .parallel, .park, .queueJoin, .schedule, .stop, .transcribeRecording, .variableSet, .voicemail, .voicemailCheck, .webhookSend:
            // FlowManager performs these itself; one that arrives here comes from another version.
            finish(.failed("not_performed_here"), at: moment, into: &effects)
        }
    }

    /// What an action plays; nil: nothing of its own.
    static func prompt(of kind: Action.Kind) -> (sources: [PlaySource], stopsOnDigit: Bool)? {
        switch kind {
        case .beep: ([.tone(frequency: 1_000, milliseconds: 300)], false)
        case .talk(let option):
            (
                [
                    .speech(
                        text: option.text, language: option.language,
                        voice: option.voiceID != nil || option.provider != nil
                            ? SpeechVoice(name: option.voiceID, provider: option.provider) : nil)
                ], option.digitsHandle == .next
            )
        case .play(let option): (option.streamURLs.map { .url($0) }, false)
        case .playTone(let option): (option.sources, option.digitsHandle == .next)
        default: nil
        }
    }

    /// `part`: which of several prompts of one action it is.
    mutating func play(
        _ sources: [PlaySource], of part: String? = nil, stopOnDigit: Bool = false, loop: Bool = false, at moment: Moment, into effects: inout [LegEffect]
    ) {
        guard let current = performing else { return }
        let playID = "\(record.id)/\(current.step)" + (part.map { "/\($0)" } ?? "")
        performing?.playID = playID
        deadlines[.play] = moment.now + limits.play
        effects.append(.play(playID: playID, sources, loop: loop, stopOnDigit: stopOnDigit))
    }

    mutating func playEnded(_ reason: PlayFinished.Reason, at moment: Moment, into effects: inout [LegEffect]) {
        if gatherPromptEnded(at: moment, into: &effects) || recordBeepEnded(at: moment, into: &effects) || holdMusicEnded() { return }
        switch reason {
        case .completed, .stopped, .speech:
            finish(.completed, at: moment, into: &effects)
        case .digit:
            // What ended the prompt is input: a branch may follow at once, and a digits_receive counts it in.
            finish(.digits(digits), at: moment, into: &effects)
            digits = ""
        case .failed:
            finish(.failed("play_failed"), at: moment, into: &effects)
        }
    }

    mutating func actionTimeIsUp(at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing else { return }
        switch current.action.kind {
        case .digitsReceive:
            finish(.digits(digits), at: moment, into: &effects)
            digits = ""
        case .echo, .streamEcho:
            effects.append(.setParticipant(muted: nil, echo: false))
            finish(.completed, at: moment, into: &effects)
        case .gather:
            gatherTimeIsUp(at: moment, into: &effects)
        case .transfer:
            finish(.noAnswer, at: moment, into: &effects)
        case .hold:
            holdTimeIsUp(at: moment, into: &effects)
        case .meet:
            meetTimeIsUp(at: moment, into: &effects)
        case .record:
            recordTimeIsUp(at: moment, into: &effects)
        case .amd:
            detectionTimeIsUp(at: moment, into: &effects)
        case .sleep, .digitsSend, .playTone:
            finish(.completed, at: moment, into: &effects)
        default:
            break
        }
    }

    // MARK: Digits

    mutating func pressed(_ digit: String, at moment: Moment, into effects: inout [LegEffect]) {
        // The action that is performed stays until the next has come: what is pressed in between is still its own.
        let isHidden = performing?.action.kind.hidesKeys == true
        publish("call.digits", with: ["digit": .string(isHidden ? digit.hiddenKeys : digit)], into: &effects)
        if screeningHas(digit, at: moment, into: &effects) { return }
        if asks(digit, at: moment, into: &effects) { return }
        if gathers(digit, at: moment, into: &effects) || recordHas(digit, at: moment, into: &effects) { return }
        digits += digit
        digits = String(digits.suffix(limits.digits))
        takeDigits(at: moment, into: &effects)
    }

    /// A key ends a prompt that waits for one; the room does that by itself where it hears the key.
    mutating func interruptPrompt(at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, current.playID != nil, Self.prompt(of: current.action.kind)?.stopsOnDigit == true else { return }
        playEnded(.digit, at: moment, into: &effects)
    }

    /// Ends `digits_receive` when enough digits, or the ending key, are there. What comes while the flow is asked for its next step is that one's.
    private mutating func takeDigits(at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, current.isStarted, pendingOutcome == nil, case .digitsReceive(let option) = current.action.kind else { return }
        var taken = ""
        for digit in digits {
            taken.append(digit)
            if option.key.contains(digit) || taken.count == option.maximum {
                digits.removeFirst(taken.count)
                finish(.digits(taken), at: moment, into: &effects)
                return
            }
        }
    }

    // MARK: Hanging up

    /// Why the call that a `hangup` names has ended; nil: it has not, or is nobody's here.
    mutating func causeCopied(_ cause: Int?, at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, case .hangup(let option) = current.action.kind else { return }
        hangUp(cause ?? option.cause, at: moment, into: &effects)
    }

    private mutating func hangUp(_ cause: Int, at moment: Moment, into effects: inout [LegEffect]) {
        if phase == .up {
            end(.completed, Status(code: 200, cause: cause), by: "platform", at: moment, into: &effects)
        } else {
            let code = cause == 16 ? 603 : Self.code(forCause: cause)
            end(Self.outcome(of: code), Status(code: code, cause: cause == 16 ? 21 : cause), by: "platform", at: moment, into: &effects)
        }
    }
}

extension Hangup {
    /// Q.850.
    fileprivate var cause: Int {
        switch reason {
        case .busy: 17
        case .noanswer, .timeout: 19
        case .failed, .dialout: 41
        case .normal, .cancel, .amd, nil: 16
        }
    }
}

extension Action.Kind {
    /// Whether keys pressed meanwhile are for other people.
    var talksWithOthers: Bool {
        switch self {
        case .confbridgeJoin, .connect, .dial, .conferenceJoin, .hold, .meet, .transfer: true
        default: false
        }
    }

    /// Whether it lasts as long as the call sits in a conference, or in a bare room.
    var isInConference: Bool {
        switch self {
        case .conferenceJoin, .confbridgeJoin: true
        default: false
        }
    }

    /// Whether the caller must have been answered first, which is then done.
    var needsSound: Bool {
        switch self {
        case .amd, .answer, .beep, .talk, .play, .playTone, .gather, .digitsReceive, .digitsSend, .echo, .streamEcho, .externalMediaStart, .hold, .listenStart,
            .listenStop, .meet, .mute, .confbridgeJoin, .conferenceJoin, .record, .recordingStart, .transcribeStart, .transcribeStop, .transfer: true
        case .connect, .dial, .externalMediaStop, .hangup, .sleep, .recordingStop, .setHeader: false
        case .aiSummary, .aiTalk, .aiTask, .block, .branch, .call, .caseCreate, .collect, .condition, .conditionCallDigits, .conditionCallStatus,
            .conditionDatetime, .conditionVariable, .conversationSend, .emailSend, .fetch, .fetchFlow, .goto, .httpRequest,
            .messageSend, .parallel, .park, .queueJoin, .schedule, .stop, .transcribeRecording, .variableSet, .voicemail, .voicemailCheck, .webhookSend: false
        }
    }
}
