/// `transfer`: the run ends with it, or goes on as another flow.
extension Interpreter {
    /// The actions of the flow that the call is handed to, in place of all that were to follow; nil when there is no such flow.
    func handOver(_ option: Transfer, of action: Action, to actions: [Action]?, in run: inout Run, at time: Int64, _ trail: inout Trail) -> Progress {
        let outcome = actions == nil ? Outcome.failed("not_found") : .completed
        if let actions {
            run.frames = [Run.Frame(actions)]
            run.variables.setSystem("voipbin.activeflow.flow_id", to: option.flowID)
        } else if let target = option.target(after: outcome) {
            jump(to: target, in: &run)
        } else {
            follow(action, in: &run)
        }
        record(outcome, of: action, in: &run)
        trail.occurrences.append(.finished(action, step: nil, outcome))
        return proceed(&run, at: time, &trail)
    }
}

extension Action.Kind {
    /// Whether nothing is left for the run: the call was another's from then on.
    func handsOver(after outcome: Outcome) -> Bool {
        if case .transfer = self { outcome.result == .completed } else { false }
    }
}
