/// Keys that callers press: those an action has waited for, and those that came before it.
extension Interpreter {
    /// Digits are kept where flows look for them. Those that nobody waited for also count for the next that waits.
    func receive(_ digits: String, by action: Action, in run: inout Run) {
        if digits.isEmpty {
            if action.kind.takesDigits { run.typedAhead = "" }
            return
        }
        let digits = Keypad.keys(in: digits)
        let all = run.variables[Variables.digits] + digits
        run.variables.setDigits(to: all.utf8.count <= limits.short ? all : String(all.suffix(limits.short)))
        if action.kind.takesDigits {
            run.typedAhead = ""
        } else {
            run.typedAhead = String((run.typedAhead + digits).suffix(limits.short))
        }
    }

    /// What is still to be waited for; nil when the digits typed ahead are enough. Without any, an old input is gone.
    func remaining(_ option: DigitsReceive, in run: inout Run) -> DigitsReceive? {
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

extension Action.Kind {
    /// Whether the digits of its outcome are those it has waited for.
    var takesDigits: Bool {
        switch self {
        case .digitsReceive, .gather: true
        default: false
        }
    }
}
