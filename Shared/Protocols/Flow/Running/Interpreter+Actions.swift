/// The actions themselves: those executed in here, and those handed to the outside world.
extension Interpreter {
    /// Executes actions until one needs the outside world or the run is over.
    func proceed(_ run: inout Run, at time: Int64, _ before: [Occurrence]) -> Progress {
        var occurrences = before
        while run.executedAlone < limits.iterations {
            run.executedAlone += 1
            guard let frame = run.frames.last else { return end(&run, .completed, occurrences) }
            guard frame.actions.indices.contains(frame.position) else {
                run.frames.removeLast()
                continue
            }
            let original = frame.actions[frame.position]
            let action = original.substituting(run.variables, limits: limits)
            var outcome = Outcome.completed
            switch action.kind {
            case .branch(let option):
                branch(option, on: original.variableName ?? Variables.digits, of: action, in: &run)
            case .goto(let option):
                goto(option, of: action, in: &run)
            case .variableSet(let option):
                if !run.variables.set(option.key, to: option.value, within: limits) { outcome = .failed("variable_limit") }
                follow(action, in: &run)
            case .conditionVariable(let option):
                let value = run.variables.value(ofNameOrTemplate: original.variableName ?? "")
                decide(holds(option, value), else: option.falseTargetID, of: action, in: &run)
            case .conditionDatetime(let option):
                decide(holds(option, at: time), else: option.falseTargetID, of: action, in: &run)
            case .stop:
                occurrences += [.started(action, step: nil), .finished(action, step: nil, .completed)]
                return end(&run, .stopped, occurrences)
            case .fetchFlow(let option):
                run.state = .waitingForFlow(id: option.flowID, action)
                occurrences.append(.started(action, step: nil))
                return Progress(next: .needFlow(id: option.flowID), occurrences: occurrences)
            case .digitsReceive(let option):
                if let rest = remaining(option, in: &run) {
                    return perform(Action(id: action.id, nextID: action.nextID, .digitsReceive(rest)), in: &run, occurrences)
                }
                run.typedAhead = ""
                follow(action, in: &run)
            case .amd, .answer, .beep, .conferenceJoin, .connect, .digitsSend, .echo, .externalMediaStart, .externalMediaStop, .hangup,
                .listenStart, .listenStop, .mute, .play, .recordingStart, .recordingStop, .sleep, .talk, .transcribeStart, .transcribeStop:
                return perform(action, in: &run, occurrences)
            }
            occurrences += [.started(action, step: nil), .finished(action, step: nil, outcome)]
        }
        return end(&run, .limit, occurrences)
    }

    private func perform(_ action: Action, in run: inout Run, _ occurrences: [Occurrence]) -> Progress {
        guard run.step < limits.executedActions else { return end(&run, .limit, occurrences) }
        run.step += 1
        run.executedAlone = 0
        run.state = .performing(action)
        return Progress(
            next: .perform(action, step: run.step), occurrences: occurrences + [.started(action, step: run.step)])
    }

    private func branch(_ option: Branch, on variable: String, of action: Action, in run: inout Run) {
        let name = Variables.name(in: variable) ?? variable
        let value = run.variables[name]
        if name == Variables.digits { run.typedAhead = "" }
        run.variables.clear(name)
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

    private func decide(_ holds: Bool, else target: String?, of action: Action, in run: inout Run) {
        if !holds, let target {
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
        run.variables.setSystem(Variables.digits, to: run.typedAhead)
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
