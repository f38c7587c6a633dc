/// Moves runs: the outcome of the last action in, the next action or the end out.
///
/// Pure: the time is given, other flows are asked for. What needs no outside world (`branch`, `goto`, conditions,
/// variables) is executed in here, at most `Limits.iterations` at a stretch.
public struct Interpreter: Sendable {
    public var limits: Limits
    public var timeZones: TimeZones

    public init(limits: Limits = Limits(), timeZones: TimeZones = .utc) {
        (self.limits, self.timeZones) = (limits, timeZones)
    }

    /// What a move led to.
    public struct Progress: Sendable, Hashable {
        /// What the run wants next.
        public var next: Step
        /// What happened on the way, in order; empty when an old answer was given again.
        public var occurrences: [Occurrence]
    }

    /// Something worth telling about a run.
    public enum Occurrence: Sendable, Hashable {
        /// `step` is nil for an action that the interpreter executes by itself.
        case started(Action, step: Int?)
        case finished(Action, step: Int?, Outcome)
        case ended(FinishReason)
    }

    /// A delivery that fits nowhere: `expected` is the step whose outcome is awaited.
    public struct OutOfOrder: Error, Sendable, Hashable {
        public let expected: Int

        public init(expected: Int) { self.expected = expected }
    }

    /// Gives out the first action. `time` is Unix time in seconds, here and below.
    public func start(_ run: inout Run, at time: Int64) -> Progress {
        guard run.state == .ready else { return Progress(next: run.current, occurrences: []) }
        return proceed(&run, at: time, [])
    }

    /// Takes the outcome of step `step`. The outcome of the step before, delivered again, gets the same answer again
    /// and changes nothing; so does everything once the run is over.
    public func advance(_ run: inout Run, step: Int, _ outcome: Outcome, at time: Int64) throws(OutOfOrder) -> Progress {
        switch run.state {
        case .performing(let action) where step == run.step || (outcome.result == .callEnded && step <= run.step):
            return finish(action, of: &run, outcome, at: time)
        case .performing where step == run.step - 1, .waitingForFlow where step == run.step, .finished where step <= run.step:
            return Progress(next: run.current, occurrences: [])
        case .performing, .waitingForFlow, .finished, .ready:
            throw OutOfOrder(expected: run.step)
        }
    }

    /// Takes the actions of the flow that `.needFlow` asked for; nil when there is no such flow.
    public func supply(_ run: inout Run, _ actions: [Action]?, at time: Int64) -> Progress {
        guard case .waitingForFlow(_, let action) = run.state else { return Progress(next: run.current, occurrences: []) }
        let outcome: Outcome
        follow(action, in: &run)
        if actions != nil, run.frames.count >= limits.nestedLists {
            outcome = .failed("nested_too_deeply")
        } else if let actions {
            run.frames.append(Run.Frame(actions))
            outcome = .completed
        } else {
            outcome = .failed("not_found")
        }
        record(outcome, in: &run)
        return proceed(&run, at: time, [.finished(action, step: nil, outcome)])
    }

    private func finish(_ action: Action, of run: inout Run, _ outcome: Outcome, at time: Int64) -> Progress {
        record(outcome, in: &run)
        receive(outcome.digits ?? "", by: action, in: &run)
        let occurrences = [Occurrence.finished(action, step: run.step, outcome)]
        if outcome.result == .callEnded { return end(&run, .callEnded, occurrences) }
        if case .hangup = action.kind { return end(&run, .completed, occurrences) }
        follow(action, in: &run)
        return proceed(&run, at: time, occurrences)
    }

    private func record(_ outcome: Outcome, in run: inout Run) {
        run.variables.setSystem(Variables.actionResult, to: outcome.result.rawValue)
        run.variables.setSystem(Variables.actionCode, to: outcome.code ?? "")
        for (name, value) in (outcome.variables ?? [:]).sorted(by: { $0.key < $1.key }) {
            _ = run.variables.set(name, to: value, within: limits)
        }
    }

    /// Digits are kept where flows look for them. Those that nobody waited for also count for the next that waits.
    private func receive(_ digits: String, by action: Action, in run: inout Run) {
        let digits = String(digits.filter(Keypad.has))
        let all = run.variables[Variables.digits] + digits
        run.variables.setSystem(Variables.digits, to: String(all.suffix(limits.short)))
        if case .digitsReceive = action.kind {
            run.typedAhead = ""
        } else {
            run.typedAhead = String((run.typedAhead + digits).suffix(limits.short))
        }
    }

    func end(_ run: inout Run, _ reason: FinishReason, _ occurrences: [Occurrence]) -> Progress {
        run.state = .finished(reason)
        run.frames = []
        return Progress(next: .finished(reason), occurrences: occurrences + [.ended(reason)])
    }

    /// Moves the current list on from an action that is done.
    func follow(_ action: Action, in run: inout Run) {
        jump(to: action.nextID ?? ReservedID.next, in: &run)
    }

    /// An id that is not in the list cannot come from a validated flow; the next action is the mildest reading.
    func jump(to id: String, in run: inout Run) {
        guard !run.frames.isEmpty else { return }
        let top = run.frames.count - 1
        switch id {
        case ReservedID.start: run.frames[top].position = 0
        case ReservedID.finish: run.frames = []
        case ReservedID.next: run.frames[top].position += 1
        default:
            let position = run.frames[top].actions.firstIndex { $0.id == id }
            run.frames[top].position = position ?? run.frames[top].position + 1
        }
    }
}
