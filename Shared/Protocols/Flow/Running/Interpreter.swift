/// Moves runs: the outcome of the last action in, the next action or the end out.
///
/// Pure: the time is given, other flows and the answers of web servers are asked for. What needs no outside world (`branch`, `goto`,
/// conditions, variables) is executed in here, at most `Limits.iterations` at a stretch.
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
        public var occurrences: [Occurrence] = []
        /// Requests that are to be made, whose answers nobody waits for.
        public var sends: [FlowRequest] = []

        init(next: Step) { self.next = next }

        init(next: Step, _ trail: Trail) { (self.next, occurrences, sends) = (next, trail.occurrences, trail.sends) }
    }

    /// What has happened so far in a move.
    struct Trail {
        var occurrences: [Occurrence] = []
        var sends: [FlowRequest] = []

        // A move tells of a few actions; the array need not grow one by one.
        init() { occurrences.reserveCapacity(8) }
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
        guard run.state == .ready else { return Progress(next: run.current) }
        var trail = Trail()
        return proceed(&run, at: time, &trail)
    }

    /// Takes the outcome of step `step`. That of a step before, delivered again, changes nothing and gets the answer that is due: whoever goes on
    /// with a call may know of an earlier step only. So does everything once the run is over.
    public func advance(_ run: inout Run, step: Int, _ outcome: Outcome, at time: Int64) throws(OutOfOrder) -> Progress {
        switch run.state {
        case .parallel:
            return try advanceBranch(&run, step: step, outcome, at: time)
        case .performing(let action) where step == run.step || (outcome.result == .callEnded && step <= run.step):
            var trail = Trail()
            return finish(action, of: &run, outcome, at: time, &trail)
        case .waitingForAnswer where outcome.result == .callEnded && step <= run.step:
            // The request is on its way; nobody is left to hear of its answer.
            var trail = Trail()
            return end(&run, .callEnded, &trail)
        case .performing where run.isPast(step), .waitingForFlow where step == run.step || run.isPast(step),
            .waitingForDepot where step == run.step || run.isPast(step), .waitingForAnswer where step == run.step || run.isPast(step),
            .finished where step <= run.step:
            return Progress(next: run.current)
        case .performing, .waitingForFlow, .waitingForDepot, .waitingForAnswer, .finished, .ready:
            throw OutOfOrder(expected: run.step)
        }
    }

    /// Takes the actions of the flow that `.needFlow` asked for; nil when there is no such flow.
    public func supply(_ run: inout Run, _ actions: [Action]?, at time: Int64) -> Progress {
        if case .parallel = run.state { return supplyBranch(&run, actions, at: time) }
        var trail = Trail()
        return supply(&run, actions, at: time, &trail)
    }

    func supply(_ run: inout Run, _ actions: [Action]?, at time: Int64, _ trail: inout Trail) -> Progress {
        guard case .waitingForFlow(_, let action) = run.state else { return Progress(next: run.current) }
        if case .transfer(let option) = action.kind { return handOver(option, of: action, to: actions, in: &run, at: time, &trail) }
        let outcome: Outcome
        follow(action, in: &run)
        if let actions {
            outcome = enter(actions, in: &run) ? .completed : .failed("nested_too_deeply")
        } else {
            outcome = .failed("not_found")
        }
        record(outcome, of: action, in: &run)
        trail.occurrences.append(.finished(action, step: nil, outcome))
        return proceed(&run, at: time, &trail)
    }

    func finish(_ action: Action, of run: inout Run, _ outcome: Outcome, at time: Int64, _ trail: inout Trail) -> Progress {
        if run.composed != nil { return finishPart(action, of: &run, outcome, at: time, &trail) }
        record(outcome, of: action, in: &run)
        receive(outcome.digits ?? "", by: action, in: &run)
        trail.occurrences.append(.finished(action, step: run.step, outcome))
        if outcome.result == .callEnded { return end(&run, .callEnded, &trail) }
        if case .hangup = action.kind { return end(&run, .completed, &trail) }
        if action.kind.handsOver(after: outcome) { return end(&run, .transferred, &trail) }
        if let target = action.kind.target(after: outcome) { jump(to: target, in: &run) } else { follow(action, in: &run) }
        return proceed(&run, at: time, &trail)
    }

    func record(_ outcome: Outcome, of action: Action, in run: inout Run) {
        run.variables.record(outcome, of: action.id)
        take(variablesOf: outcome, in: &run)
    }

    func take(variablesOf outcome: Outcome, in run: inout Run) {
        guard let variables = outcome.variables else { return }
        if variables.count == 1, let (name, value) = variables.first {
            _ = run.variables.set(name, to: .string(value), within: limits)
            return
        }
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            _ = run.variables.set(name, to: .string(value), within: limits)
        }
    }

    func end(_ run: inout Run, _ reason: FinishReason, _ trail: inout Trail) -> Progress {
        run.state = .finished(reason)
        run.frames = []
        run.composed = nil
        if run.isWhole { trail.occurrences.append(.ended(reason)) }
        return Progress(next: .finished(reason), trail)
    }

    /// Goes into a list of actions; false when too many are inside one another. One that has come to its end does not count: what is fetched last
    /// takes its place, so that an application may answer each question with the next one for as long as the call lasts.
    func enter(_ actions: [Action], in run: inout Run) -> Bool {
        while let top = run.frames.last, !top.actions.indices.contains(top.position) { run.frames.removeLast() }
        guard run.frames.count < limits.nestedLists else { return false }
        run.frames.append(Run.Frame(actions))
        return true
    }

    /// Moves the current list on from an action that is done.
    func follow(_ action: Action, in run: inout Run) {
        if let id = action.nextID { return jump(to: id, in: &run) }
        guard let top = run.frames.indices.last else { return }
        run.frames[top].position += 1
    }

    /// An id that is not in the list cannot come from a validated flow; the next action is the mildest reading.
    func jump(to id: String, in run: inout Run) {
        guard !run.frames.isEmpty else { return }
        let top = run.frames.count - 1
        switch id {
        // Ids of an author's are rarely as long as those.
        case _ where id.utf8.count != ReservedID.next.utf8.count: run.frames[top].position = run.frames[top].position(of: id) ?? run.frames[top].position + 1
        case ReservedID.start: run.frames[top].position = 0
        case ReservedID.finish: run.frames = []
        case ReservedID.next: run.frames[top].position += 1
        default: run.frames[top].position = run.frames[top].position(of: id) ?? run.frames[top].position + 1
        }
    }
}

extension Action.Kind {
    /// Where an action that knows several ways goes on; nil: as `next_id` says.
    func target(after outcome: Outcome) -> String? {
        switch self {
        case .gather(let option): option.target(after: outcome)
        case .dial(let option): option.target(after: outcome)
        case .park(let option): option.target(after: outcome)
        case .transfer(let option): option.target(after: outcome)
        case .collect(let option): option.target(after: outcome)
        default: nil
        }
    }
}

extension Interpreter {
    /// Ends a run from outside, as when its call is over.
    public func end(of run: inout Run) -> Progress {
        var trail = Trail()
        return end(&run, .callEnded, &trail)
    }
}
