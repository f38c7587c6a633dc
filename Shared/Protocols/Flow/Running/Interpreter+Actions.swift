/// The actions themselves: those executed in here, and those handed to the outside world.
extension Interpreter {
    /// Executes actions until one needs the outside world or the run is over.
    func proceed(_ run: inout Run, at time: Int64, _ trail: inout Trail) -> Progress {
        while run.executedAlone < limits.iterations {
            run.executedAlone += 1
            guard let top = run.frames.indices.last else { return end(&run, .completed, &trail) }
            let position = run.frames[top].position
            guard run.frames[top].actions.indices.contains(position) else {
                run.frames.removeLast()
                continue
            }
            let original = run.frames[top].actions[position]
            let action = run.frames[top].hasVariables(position) ? original.substituting(run.variables, limits: limits) : original
            var outcome = Outcome.completed
            if !run.hasCall, action.kind.usesCall {
                outcome = .failed(run.isAlone ? "no_call" : "call_in_use")
                record(outcome, of: action, in: &run)
                follow(action, in: &run)
                trail.occurrences += [.started(action, step: nil), .finished(action, step: nil, outcome)]
                continue
            }
            switch action.kind {
            case .call, .collect, .park, .voicemail, .voicemailCheck:
                if let composed = Composed(of: action), let progress = begin(composed, in: &run, &trail) { return progress }
                continue
            case .transfer(let option):
                if let id = option.flowID {
                    guard run.role == .whole else {
                        // The branches beside it would be left without their run.
                        outcome = .failed("in_branch")
                        record(outcome, of: action, in: &run)
                        if let target = option.target(after: outcome) { jump(to: target, in: &run) } else { follow(action, in: &run) }
                        break
                    }
                    run.state = .waitingForFlow(id: id, action)
                    trail.occurrences.append(.started(action, step: nil))
                    return Progress(next: .needFlow(id: id), trail)
                }
                if option.method == .refer { return perform(action, in: &run, &trail) }
                if let composed = Composed(of: action), let progress = begin(composed, in: &run, &trail) { return progress }
                continue
            case .parallel(let option):
                if let progress = begin(option, of: action, in: &run, at: time, &trail) { return progress }
                continue
            case .branch(let option):
                branch(option, on: original.variableName, of: action, in: &run)
            case .goto(let option):
                goto(option, of: action, in: &run)
            case .variableSet(let option):
                let value = option.expression?.value(with: run.variables, bytes: limits.valueBytes) ?? option.value ?? .null
                if !run.variables.set(option.key, to: value, within: limits) {
                    outcome = .failed("variable_limit")
                    record(outcome, of: action, in: &run)
                }
                follow(action, in: &run)
            case .condition(let option):
                let holds = option.expression?.holds(with: run.variables) ?? false
                decide(holds, then: option.trueTargetID, else: option.falseTargetID, of: action, in: &run)
            case .conditionVariable(let option):
                let value = run.variables.value(ofNameOrTemplate: original.variableName ?? "")
                decide(holds(option, value), else: option.falseTargetID, of: action, in: &run)
            case .conditionDatetime(let option):
                decide(holds(option, at: time), else: option.falseTargetID, of: action, in: &run)
            case .conditionCallDigits(let option):
                decide(option.holds(run.variables[Variables.digits]), else: option.falseTargetID, of: action, in: &run)
            case .conditionCallStatus(let option):
                decide(run.variables[Variables.callStatus] == option.status.rawValue, else: option.falseTargetID, of: action, in: &run)
            case .schedule(let option):
                outcome = schedule(option, of: action, at: time, in: &run)
            case .stop:
                trail.occurrences += [.started(action, step: nil), .finished(action, step: nil, .completed)]
                return end(&run, .stopped, &trail)
            case .fetchFlow(let option):
                run.state = .waitingForFlow(id: option.flowID, action)
                trail.occurrences.append(.started(action, step: nil))
                return Progress(next: .needFlow(id: option.flowID), trail)
            case .fetch, .httpRequest, .webhookSend:
                run.requests += 1
                guard let request = request(of: action, in: run, number: run.requests) else { continue }
                if case .webhookSend(let option) = action.kind, !option.sync {
                    trail.sends.append(request)
                    record(outcome, of: action, in: &run)
                    follow(action, in: &run)
                    break
                }
                guard run.requests <= limits.executedActions else { return end(&run, .limit, &trail) }
                run.state = .waitingForAnswer(action, number: run.requests)
                trail.occurrences.append(.started(action, step: nil))
                return Progress(next: .needAnswer(request), trail)
            case .aiSummary, .aiTalk, .aiTask, .block, .caseCreate, .conversationSend, .emailSend, .messageSend, .queueJoin,
                .transcribeRecording:
                // No service here does that yet: said, never passed over in silence.
                outcome = .failed("unavailable")
                record(outcome, of: action, in: &run)
                follow(action, in: &run)
            case .digitsReceive(let option):
                if let rest = remaining(option, in: &run) {
                    let due = rest == option ? action : Action(id: action.id, nextID: action.nextID, .digitsReceive(rest))
                    return perform(due, in: &run, &trail)
                }
                run.typedAhead = ""
                follow(action, in: &run)
            case .gather(var option):
                // What was typed ahead is part of the answer; an old input is gone.
                run.variables.setDigits(to: "")
                guard option.takes(.digits) else { return perform(action, in: &run, &trail) }
                let ahead = run.typedAhead
                run.typedAhead = ""
                guard option.typedAhead != ahead else { return perform(action, in: &run, &trail) }
                option.typedAhead = ahead
                return perform(Action(id: action.id, nextID: action.nextID, .gather(option)), in: &run, &trail)
            case .amd, .answer, .beep, .confbridgeJoin, .conferenceJoin, .connect, .dial, .digitsSend, .echo, .externalMediaStart, .externalMediaStop, .hangup, .hold, .meet,
                .listenStart, .listenStop, .mute, .play, .playTone, .record, .recordingStart, .recordingStop, .setHeader, .sleep, .streamEcho, .talk,
                .transcribeStart, .transcribeStop:
                return perform(action, in: &run, &trail)
            }
            trail.occurrences.append(.started(action, step: nil))
            trail.occurrences.append(.finished(action, step: nil, outcome))
        }
        return end(&run, .limit, &trail)
    }

    func perform(_ action: Action, in run: inout Run, _ trail: inout Trail) -> Progress {
        guard run.step < limits.executedActions else { return end(&run, .limit, &trail) }
        run.step += 1
        run.executedAlone = 0
        run.state = .performing(action)
        trail.occurrences.append(.started(action, step: run.step))
        return Progress(next: .perform(action, step: run.step), trail)
    }

    private func schedule(_ option: Schedule, of action: Action, at time: Int64, in run: inout Run) -> Outcome {
        let offset = option.timezone.flatMap { timeZones.offset(of: $0, at: time) } ?? 0
        let now = CivilTime(unixSeconds: time + Int64(offset))
        let holiday = option.holidays.first { $0.isOn(now) }
        let isOpen = holiday == nil && option.hours.contains { $0.covers(now) }
        let word = holiday != nil ? "holiday" : isOpen ? "open" : "closed"
        var outcome = Outcome(.completed, data: ["schedule": .string(word)])
        outcome.data?["holiday"] = holiday?.name.map(JSONValue.string)
        record(outcome, of: action, in: &run)
        let target = holiday != nil ? option.holidayTargetID ?? option.closedTargetID : isOpen ? option.openTargetID : option.closedTargetID
        if let target { jump(to: target, in: &run) } else { follow(action, in: &run) }
        return outcome
    }

    private func branch(_ option: Branch, on variable: String?, of action: Action, in run: inout Run) {
        if let expression = option.expression {
            let value = expression.value(with: run.variables).plainText
            if let target = option.targetIDs[value] ?? option.defaultTargetID { jump(to: target, in: &run) } else { follow(action, in: &run) }
            return
        }
        let value: String
        if let variable, variable != Variables.digits {
            let name = Variables.name(in: variable) ?? variable
            value = run.variables[name]
            if name == Variables.digits { run.typedAhead = "" }
            run.variables.clear(name)
        } else {
            value = run.variables.takeDigits()
            run.typedAhead = ""
        }
        if let target = option.targetIDs[value] ?? option.defaultTargetID {
            jump(to: target, in: &run)
        } else {
            follow(action, in: &run)
        }
    }

    private func goto(_ option: Goto, of action: Action, in run: inout Run) {
        guard let top = run.frames.indices.last else { return }
        let jumps = run.frames[top].jumps[action.id, default: 0]
        if jumps < option.loopCount {
            run.frames[top].jumps[action.id] = jumps + 1
            jump(to: option.targetID, in: &run)
        } else {
            // Counting anew makes a loop inside a loop run in full each time.
            run.frames[top].jumps[action.id] = nil
            follow(action, in: &run)
        }
    }

    private func decide(
        _ holds: Bool, then right: String? = nil, else wrong: String?, of action: Action, in run: inout Run
    ) {
        if let target = holds ? right : wrong {
            jump(to: target, in: &run)
        } else {
            follow(action, in: &run)
        }
    }

    private func holds(_ option: ConditionVariable, _ value: String) -> Bool {
        switch option.valueType {
        case .string: return option.condition.holds(value, option.valueString ?? "")
        case .length: return option.condition.holds(value.count, option.valueLength ?? 0)
        case .number:
            guard let number = Double(value), number.isFinite else { return option.condition == .notEqual }
            return option.condition.holds(number, option.valueNumber ?? 0)
        }
    }

    private func holds(_ option: ConditionDatetime, at time: Int64) -> Bool {
        let offset = option.timezone.flatMap { timeZones.offset(of: $0, at: time) } ?? 0
        let now = CivilTime(unixSeconds: time + Int64(offset))
        if !option.weekdays.isEmpty, !option.weekdays.contains(now.weekday) { return false }
        var actual: [Int] = []
        var wanted: [Int] = []
        func compare(_ part: Int, _ with: Int, when given: Bool) {
            guard given else { return }
            actual.append(part)
            wanted.append(with)
        }
        compare(now.month, option.month, when: option.month > 0)
        compare(now.day, option.day, when: option.day > 0)
        compare(now.hour, option.hour, when: option.hour >= 0)
        compare(now.minute, option.minute, when: option.minute >= 0)
        // Only weekdays were asked for.
        if wanted.isEmpty { return true }
        switch option.condition {
        case .equal: return actual == wanted
        case .notEqual: return actual != wanted
        case .less: return actual.lexicographicallyPrecedes(wanted)
        case .lessOrEqual: return !wanted.lexicographicallyPrecedes(actual)
        case .greater: return wanted.lexicographicallyPrecedes(actual)
        case .greaterOrEqual: return !actual.lexicographicallyPrecedes(wanted)
        }
    }

    /// What is still to be waited for; nil when the digits typed ahead are enough. Without any, an old input is gone.
    private func remaining(_ option: DigitsReceive, in run: inout Run) -> DigitsReceive? {
        run.variables.setDigits(to: run.typedAhead)
        if run.typedAhead.isEmpty { return option.maximum == nil ? option.withAnyNumber : option }
        if run.typedAhead.contains(where: option.key.contains) { return nil }
        var rest = option
        if let maximum = option.maximum {
            guard run.typedAhead.count < maximum else { return nil }
            rest.length = maximum - run.typedAhead.count
        } else {
            rest.length = 0
        }
        return rest
    }
}

extension Action {
    /// The variable that a branch or condition looks at, as the flow's author wrote it: substitution would replace a
    /// reference to the variable by its value.
    fileprivate var variableName: String? {
        switch kind {
        case .branch(let option): option.variable
        case .conditionVariable(let option): option.variable
        default: nil
        }
    }
}
