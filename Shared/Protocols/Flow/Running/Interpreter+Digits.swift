/// Keys that callers press: those an action has waited for, and those that came before it.
extension Interpreter {
    /// Digits are kept where flows look for them. Those that nobody waited for also count for the next that waits.
    func receive(_ digits: String, by action: Action, in run: inout Run) {
        if action.kind.takesDigits { run.typedAhead.forgetSeen() }
        guard !digits.isEmpty else { return }
        let digits = Keypad.keys(in: digits)
        let all = run.variables[Variables.digits] + digits
        run.variables.setDigits(to: all.utf8.count <= limits.short ? all : String(all.suffix(limits.short)))
        if !action.kind.takesDigits { run.typedAhead.add(digits) }
    }

    /// What is still to be waited for; nil when the digits typed ahead are enough. Without any, an old input is gone.
    func remaining(_ option: DigitsReceive, in run: inout Run) -> DigitsReceive? {
        let (taken, isEnough) = run.typedAhead.take(for: option)
        run.variables.setDigits(to: taken)
        if isEnough { return nil }
        guard let maximum = option.maximum else { return option.with(length: 0) }
        return taken.isEmpty ? option : option.with(length: maximum - taken.count)
    }

    /// The same question with the digits typed ahead, which are part of the answer where digits are one. An old input is gone.
    func asked(_ option: Gather, in run: inout Run) -> Gather {
        run.variables.setDigits(to: "")
        var option = option
        if option.takes(.digits) { option.typedAhead = run.typedAhead.takeAll() } else { run.typedAhead.keepUnseen() }
        return option
    }
}

extension Run {
    /// Empties a variable; with the digits go those of them that were typed ahead.
    mutating func clear(_ name: String) {
        variables.clear(name)
        if Variables.areDigits(name) { typedAhead.forgetSeen() }
    }
}

extension Action.Kind {
    /// Whether the digits of its outcome are those it has waited for.
    var takesDigits: Bool {
        switch self {
        case .digitsReceive: true
        case .gather(let option): option.takes(.digits)
        default: false
        }
    }
}
