import Flow

/// What CallServer does with the actions it performs, as far as a flow can tell.
extension Player {
    /// Milliseconds a text takes to be spoken, when the file does not say.
    static let perCharacter = 60

    mutating func perform(_ action: Action) -> Outcome {
        switch action.kind {
        case .talk(let option):
            report.heard.append(option.text)
            if option.async { return .completed }
            return listen(length(of: action, option.text.count * Self.perCharacter), endsOnKey: option.digitsHandle == .next)
        case .play(let option):
            report.heard += option.streamURLs
            return listen(length(of: action, option.streamURLs.count * 3000), endsOnKey: false)
        case .hold(let option):
            report.heard += option.streamURLs.isEmpty ? ["music"] : option.streamURLs
            return wait(option)
        case .meet(let option):
            note("talks with \(option.callID)")
            if pass(10_000) { return .callEnded }
            digits = ""
            return Outcome(.completed, data: ["call_id": .string(option.callID)])
        case .record(let option):
            return record(option, of: action)
        case .beep:
            return listen(length(of: action, 300), endsOnKey: false)
        case .playTone(let option):
            return listen(length(of: action, option.duration ?? 500), endsOnKey: option.digitsHandle == .next)
        case .digitsReceive(let option):
            return receive(option)
        case .digitsSend(let option):
            return waiting((option.duration + option.interval) * option.digits.utf8.count)
        case .echo(let option), .streamEcho(let option):
            return waiting(option.duration)
        case .sleep(let option):
            return waiting(option.duration)
        case .gather(let option):
            return gather(option, of: action)
        case .connect(let option):
            return connect(option.destinations)
        case .dial(let option):
            return dial(option)
        case .transfer(let option):
            return refer(option)
        case .conferenceJoin, .confbridgeJoin:
            // Until the caller leaves it by hanging up.
            return pass(3_600_000) ? .callEnded : .completed
        case .amd:
            if pass(2000) { return .callEnded }
            return Outcome(.completed, variables: ["voipbin.call.amd.result": script.answerer, "voipbin.call.amd.reason": "test"])
        case .answer:
            return Outcome(.completed, variables: [Variables.callStatus: "progressing"])
        case .hangup, .mute, .externalMediaStart, .externalMediaStop, .listenStart, .listenStop, .recordingStart, .recordingStop, .setHeader,
            .transcribeStart, .transcribeStop:
            return .completed
        case .aiSummary, .aiTalk, .aiTask, .block, .branch, .call, .caseCreate, .collect, .condition, .conditionCallDigits, .conditionCallStatus,
            .conditionDatetime, .conditionVariable, .conversationSend, .emailSend, .fetch, .fetchFlow, .goto, .httpRequest,
            .messageSend, .parallel, .park, .queueJoin, .schedule, .stop, .transcribeRecording, .variableSet, .voicemail, .voicemailCheck, .webhookSend:
            return .failed("not_performed_here")
        }
    }

    private func length(of action: Action, _ usual: Int) -> Int { script.prompts[action.id] ?? usual }

    private mutating func waiting(_ milliseconds: Int) -> Outcome { pass(milliseconds) ? .callEnded : .completed }

    /// A prompt: keys are kept, or end it and count.
    private mutating func listen(_ milliseconds: Int, endsOnKey: Bool) -> Outcome {
        let end = now + milliseconds
        while let deed = next(until: end) {
            switch deed {
            case .hangUp: return .callEnded
            case .say: break
            case .press(let key):
                digits += key
                guard endsOnKey else { continue }
                defer { digits = "" }
                return .digits(digits)
            }
        }
        return .completed
    }

    private mutating func receive(_ option: DigitsReceive) -> Outcome {
        let end = now + option.duration
        while true {
            if let taken = enough(option) { return .digits(taken) }
            switch next(until: end) {
            case .press(let key): digits += key
            case .say: break
            case .hangUp: return .callEnded
            case nil:
                defer { digits = "" }
                return .digits(digits)
            }
        }
    }

    private mutating func enough(_ option: DigitsReceive) -> String? {
        var taken = ""
        for digit in digits {
            taken.append(digit)
            if option.key.contains(digit) || taken.count == option.maximum {
                digits.removeFirst(taken.count)
                return taken
            }
        }
        return nil
    }

    // MARK: Calling

    func callee(_ address: Address) -> (number: String, callee: Trial.Callee) {
        let target = address.target
        let scheme = ["sip:", "sips:"].first { target.hasPrefix($0) } ?? ""
        let number = String(target.dropFirst(scheme.count).prefix { $0 != "@" && $0 != ";" })
        return (number, script.callees[number] ?? script.callees[address.target] ?? Trial.Callee(answer: .unreachable, rings: 100))
    }

    /// All at once; the first that answers talks.
    private mutating func connect(_ destinations: [Address]) -> Outcome {
        let called = destinations.map(callee)
        report.called += called.map(\.number)
        let winner = called.filter { [.answer, .machine].contains($0.callee.answer) }.min { $0.callee.rings < $1.callee.rings }
        guard let winner else {
            if pass(called.map(\.callee.rings).max() ?? 0) { return .callEnded }
            switch called.last?.callee.answer {
            case .busy: return .busy
            case .noAnswer: return .noAnswer
            case .declined: return .declined
            case .answer, .machine, .unreachable, nil: return .failed("480")
            }
        }
        if pass(winner.callee.rings) { return .callEnded }
        note("\(winner.number) answers")
        if pass(winner.callee.talks) { return .callEnded }
        // What was pressed there was meant for somebody else.
        digits = ""
        return .connected
    }
}
