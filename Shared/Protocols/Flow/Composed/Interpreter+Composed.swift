/// Actions made of others: their parts are performed under the number of a step of their own, named after the action.
extension Interpreter {
    /// Nil: the action is over already, and the list goes on.
    func begin(_ composed: Composed, in run: inout Run, _ trail: inout Trail) -> Progress? {
        trail.occurrences.append(.started(composed.action, step: nil))
        var composed = composed
        if case .call(var work) = composed.work {
            run.requests += 1
            work.number = run.requests
            composed.work = .call(work)
        }
        run.composed = composed
        return part(in: &run, &trail) { $0.next(after: nil, $1) }
    }

    /// What follows a part that was performed.
    func finishPart(_ part: Action, of run: inout Run, _ outcome: Outcome, at time: Int64, _ trail: inout Trail) -> Progress {
        take(variablesOf: outcome, in: &run)
        if part.kind.takesDigits {
            run.typedAhead.forgetSeen()
        } else {
            run.typedAhead.add(Keypad.keys(in: outcome.digits ?? ""))
        }
        trail.occurrences.append(.finished(part, step: run.step, outcome))
        run.isLeaving = outcome.result == .callEnded
        return self.part(in: &run, &trail) { $0.next(after: outcome, $1) } ?? proceed(&run, at: time, &trail)
    }

    /// Takes the reply to what `.needDepot` asked for.
    public func supply(_ run: inout Run, _ reply: DepotReply, at time: Int64) -> Progress {
        if case .parallel = run.state { return supplyBranch(&run, reply, at: time) }
        var trail = Trail()
        return supply(&run, reply, at: time, &trail)
    }

    func supply(_ run: inout Run, _ reply: DepotReply, at time: Int64, _ trail: inout Trail) -> Progress {
        guard case .waitingForDepot = run.state else { return Progress(next: run.current) }
        return part(in: &run, &trail) { $0.next(after: reply, $1) } ?? proceed(&run, at: time, &trail)
    }

    /// What was collected goes into its variable.
    private func keep(_ outcome: Outcome, of action: Action, in run: inout Run) -> Outcome {
        guard case .collect(let option) = action.kind, outcome.result == .completed, let value = outcome.data?["value"] else { return outcome }
        return keep(value, as: option.variable, in: &run).map(Outcome.failed) ?? outcome
    }

    /// Does what comes next; nil when the action is over and the call goes on.
    private func part(
        in run: inout Run, _ trail: inout Trail, _ next: (inout Composed, Composed.Setting) -> Composed.Part
    ) -> Progress? {
        guard var composed = run.composed else { return nil }
        let setting = Composed.Setting(
            callID: run.variables["voipbin.activeflow.reference_id"], runID: run.variables["voipbin.activeflow.id"],
            from: run.variables["voipbin.call.source.target"], isAnonymous: run.variables[Variables.callIsAnonymous] == "yes")
        let part = next(&composed, setting)
        run.composed = composed
        switch part {
        case .perform(let name, let kind):
            // Nobody is there to hear it.
            if run.isLeaving { break }
            var kind = kind
            if case .gather(var option) = kind, option.takes(.digits) {
                option.typedAhead = run.typedAhead.takeAll()
                kind = .gather(option)
            }
            return perform(Action(id: "\(composed.action.id).\(name)", kind), in: &run, &trail)
        case .ask(let request):
            run.state = .waitingForDepot(request)
            return Progress(next: .needDepot(request), trail)
        case .done(let outcome):
            let outcome = keep(outcome, of: composed.action, in: &run)
            trail.occurrences.append(.finished(composed.action, step: nil, outcome))
            record(outcome, of: composed.action, in: &run)
            run.composed = nil
            if run.isLeaving { break }
            if composed.action.kind.handsOver(after: outcome) { return end(&run, .transferred, &trail) }
            run.state = .ready
            if let target = composed.action.kind.target(after: outcome) { jump(to: target, in: &run) } else { follow(composed.action, in: &run) }
            return nil
        }
        run.composed = nil
        return end(&run, .callEnded, &trail)
    }
}
