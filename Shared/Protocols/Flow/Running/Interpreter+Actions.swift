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
            if let code = refusal(of: action, in: run) {
                outcome = .failed(code)
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
                // Where variables have left neither, there is no such flow.
                if let id = option.flow ?? (option.destinations.isEmpty ? "" : nil) {
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
            case .variableSet(let option) where option.forgetsDigits:
                run.clear(option.key)
                follow(action, in: &run)
            case .variableSet(let option):
                let value = option.expression?.value(with: run.variables, bytes: limits.valueBytes) ?? option.value ?? .null
                if let code = keep(value, as: option.key, in: &run) {
                    outcome = .failed(code)
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
                outcome = conditionDatetime(option, of: action, at: time, in: &run)
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
                guard run.requests <= limits.executedActions else { return end(&run, .limit, &trail) }
                guard let request = request(of: action, in: run, number: run.requests) else { continue }
                if case .webhookSend(let option) = action.kind, !option.sync {
                    trail.sends.append(request)
                    record(outcome, of: action, in: &run)
                    follow(action, in: &run)
                    break
                }
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
                outcome = .digits(run.variables[Variables.digits])
                record(outcome, of: action, in: &run)
                follow(action, in: &run)
            case .gather(let option):
                let due = asked(option, in: &run)
                return perform(due.typedAhead == option.typedAhead ? action : Action(id: action.id, nextID: action.nextID, .gather(due)), in: &run, &trail)
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

    /// The code of why an action is not begun at all.
    private func refusal(of action: Action, in run: Run) -> String? {
        if !run.hasCall, action.kind.usesCall { return run.isAlone ? "no_call" : "call_in_use" }
        return action.kind.refusal
    }

    func perform(_ action: Action, in run: inout Run, _ trail: inout Trail) -> Progress {
        guard run.step < limits.executedActions else { return end(&run, .limit, &trail) }
        run.step += 1
        run.executedAlone = 0
        run.state = .performing(action)
        trail.occurrences.append(.started(action, step: run.step))
        return Progress(next: .perform(action, step: run.step), trail)
    }
}
