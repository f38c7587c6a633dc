/// The actions that decide where a run goes on.
extension Interpreter {
    func schedule(_ option: Schedule, of action: Action, at time: Int64, in run: inout Run) -> Outcome {
        guard let now = local(option.timezone, at: time) else {
            return unknownZone(of: action, else: option.closedTargetID, in: &run)
        }
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

    func branch(_ option: Branch, on variable: String?, of action: Action, in run: inout Run) {
        let value: String
        if let expression = option.expression {
            value = expression.value(with: run.variables).plainText
        } else {
            let name = variable.map { Variables.name(in: $0) ?? $0 } ?? Variables.digits
            value = run.variables[name]
            run.clear(name)
        }
        if let target = option.targetIDs[value] ?? option.defaultTargetID {
            jump(to: target, in: &run)
        } else {
            follow(action, in: &run)
        }
    }

    func goto(_ option: Goto, of action: Action, in run: inout Run) {
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

    func decide(
        _ holds: Bool, then right: String? = nil, else wrong: String?, of action: Action, in run: inout Run
    ) {
        if let target = holds ? right : wrong {
            jump(to: target, in: &run)
        } else {
            follow(action, in: &run)
        }
    }

    func holds(_ option: ConditionVariable, _ value: String) -> Bool {
        switch option.valueType {
        case .string: return option.condition.holds(value, option.valueString ?? "")
        case .length: return option.condition.holds(value.count, option.valueLength ?? 0)
        case .number:
            guard let number = Double(value), number.isFinite else { return option.condition == .notEqual }
            return option.condition.holds(number, option.valueNumber ?? 0)
        }
    }

    func conditionDatetime(_ option: ConditionDatetime, of action: Action, at time: Int64, in run: inout Run) -> Outcome {
        guard let now = local(option.timezone, at: time) else {
            return unknownZone(of: action, else: option.falseTargetID, in: &run)
        }
        decide(holds(option, at: now), else: option.falseTargetID, of: action, in: &run)
        return .completed
    }

    /// Nil: a variable has named a zone that there is not.
    private func local(_ timezone: String?, at time: Int64) -> CivilTime? {
        guard let timezone else { return CivilTime(unixSeconds: time) }
        return timeZones.offset(of: timezone, at: time).map { CivilTime(unixSeconds: time + Int64($0)) }
    }

    private func unknownZone(of action: Action, else wrong: String?, in run: inout Run) -> Outcome {
        let outcome = Outcome.failed("invalid_timezone")
        record(outcome, of: action, in: &run)
        decide(false, else: wrong, of: action, in: &run)
        return outcome
    }

    private func holds(_ option: ConditionDatetime, at now: CivilTime) -> Bool {
        let isOnDay = option.weekdays.isEmpty || option.weekdays.contains(now.weekday)
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
        // Weekdays alone are what is compared; beside other parts they say when these are.
        if wanted.isEmpty { return option.weekdays.isEmpty || isOnDay == (option.condition != .notEqual) }
        guard isOnDay else { return false }
        switch option.condition {
        case .equal: return actual == wanted
        case .notEqual: return actual != wanted
        case .less: return actual.lexicographicallyPrecedes(wanted)
        case .lessOrEqual: return !wanted.lexicographicallyPrecedes(actual)
        case .greater: return wanted.lexicographicallyPrecedes(actual)
        case .greaterOrEqual: return !actual.lexicographicallyPrecedes(wanted)
        }
    }
}

extension Action {
    /// The variable that a branch or condition looks at, as the flow's author wrote it: substitution would replace a
    /// reference to the variable by its value.
    var variableName: String? {
        switch kind {
        case .branch(let option): option.variable
        case .conditionVariable(let option): option.variable
        default: nil
        }
    }
}
