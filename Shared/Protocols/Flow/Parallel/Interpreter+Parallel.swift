/// `parallel`: the branches share the run's counters, so that steps and requests have one numbering and one limit.
extension Interpreter {
    /// Nil: its branches have ended, and the list goes on.
    func begin(_ option: Parallel, of action: Action, in run: inout Run, at time: Int64, _ trail: inout Trail) -> Progress? {
        trail.occurrences.append(.started(action, step: nil))
        guard run.isWhole, option.branches.count <= limits.branches else {
            let outcome = Outcome.failed(run.isWhole ? "too_many_branches" : "nested_parallel")
            record(outcome, of: action, in: &run)
            trail.occurrences.append(.finished(action, step: nil, outcome))
            follow(action, in: &run)
            return nil
        }
        // A branch that waits for a web server is under way while the call's begins.
        let hasCall = run.hasCall ? option.branches.firstIndex(where: \.usesCall) : nil
        var branches = Branches(action: action, until: option.until)
        for (index, branch) in option.branches.enumerated() {
            var part = Run(actions: branch.actions, variables: run.variables)
            part.role = index == hasCall ? .branchWithCall : .branch
            if index == hasCall { part.typedAhead = run.typedAhead }
            branches.list.append(Branches.Branch(name: branch.name, run: part, place: nil))
        }
        run.state = .parallel(branches)
        for index in branches.list.indices {
            guard case .parallel(let now) = run.state, !now.isDone else { break }
            if let end = move(branch: index, of: &run, &trail, { proceed(&$0, at: time, &$1) }) { return end }
        }
        return settle(&run, &trail)
    }

    /// Moves one branch; not nil when the whole run has ended by that.
    private func move(
        branch index: Int, of run: inout Run, _ trail: inout Trail, _ body: (inout Run, inout Trail) -> Progress
    ) -> Progress? {
        guard case .parallel(var branches) = run.state else { return nil }
        var part = branches.list[index].run
        (part.step, part.requests, part.executedAlone) = (run.step, run.requests, run.executedAlone)
        let hangsUp = if case .performing(let action) = part.state, case .hangup = action.kind { true } else { false }
        _ = body(&part, &trail)
        (run.step, run.requests, run.executedAlone) = (part.step, part.requests, part.executedAlone)
        if case .finished(let reason) = part.state, reason != .completed || hangsUp { return end(&run, reason, &trail) }
        branches.list[index].run = part
        branches.noteEnds()
        run.state = .parallel(branches)
        return nil
    }

    /// Goes on when enough branches have ended.
    private func settle(_ run: inout Run, _ trail: inout Trail) -> Progress? {
        guard case .parallel(let branches) = run.state, branches.isDone else { return Progress(next: run.current, trail) }
        // One that is cut off: what comes of it counts no more.
        if let index = branches.performing, case .performing(let action) = branches.list[index].run.state {
            trail.occurrences.append(.finished(action, step: run.step, .canceled))
        }
        branches.merge(into: &run, within: limits)
        let outcome = Outcome(.completed, data: branches.data)
        record(outcome, of: branches.action, in: &run)
        trail.occurrences.append(.finished(branches.action, step: nil, outcome))
        run.state = .ready
        follow(branches.action, in: &run)
        return nil
    }

    /// The outcome of what the call's branch has had performed.
    func advanceBranch(_ run: inout Run, step: Int, _ outcome: Outcome, at time: Int64) throws(OutOfOrder) -> Progress {
        guard case .parallel(let branches) = run.state else { throw OutOfOrder(expected: run.step) }
        var trail = Trail()
        let index = branches.performing
        if outcome.result == .callEnded, step <= run.step, index.map({ branches.list[$0].run.composed == nil }) ?? true {
            return end(&run, .callEnded, &trail)
        }
        guard let index, case .performing(let action) = branches.list[index].run.state else {
            guard step == run.step || run.isPast(step) else { throw OutOfOrder(expected: run.step) }
            return Progress(next: run.current)
        }
        guard step == run.step || outcome.result == .callEnded else {
            guard run.isPast(step) else { throw OutOfOrder(expected: run.step) }
            return Progress(next: run.current)
        }
        if let end = move(branch: index, of: &run, &trail, { finish(action, of: &$0, outcome, at: time, &$1) }) { return end }
        return settle(&run, &trail) ?? proceed(&run, at: time, &trail)
    }

    func supplyBranch(_ run: inout Run, _ actions: [Action]?, at time: Int64) -> Progress {
        guard case .parallel(let branches) = run.state, let index = branches.list.firstIndex(where: { $0.run.wantsFlow }) else {
            return Progress(next: run.current)
        }
        var trail = Trail()
        if let end = move(branch: index, of: &run, &trail, { supply(&$0, actions, at: time, &$1) }) { return end }
        return settle(&run, &trail) ?? proceed(&run, at: time, &trail)
    }

    func supplyBranch(_ run: inout Run, _ answer: FlowAnswer, to number: Int, at time: Int64) -> Progress {
        guard case .parallel(let branches) = run.state, let index = branches.list.firstIndex(where: { $0.run.awaited?.number == number }) else {
            return Progress(next: run.current)
        }
        var trail = Trail()
        if let end = move(branch: index, of: &run, &trail, { supply(&$0, answer, to: number, at: time, &$1) }) { return end }
        return settle(&run, &trail) ?? proceed(&run, at: time, &trail)
    }
}

extension Interpreter {
    func supplyBranch(_ run: inout Run, _ reply: DepotReply, at time: Int64) -> Progress {
        guard case .parallel(let branches) = run.state, let index = branches.list.firstIndex(where: { $0.run.wantsDepot }) else {
            return Progress(next: run.current)
        }
        var trail = Trail()
        if let end = move(branch: index, of: &run, &trail, { supply(&$0, reply, at: time, &$1) }) { return end }
        return settle(&run, &trail) ?? proceed(&run, at: time, &trail)
    }
}

extension Run {
    /// Whether the outcome of that step has been taken.
    func isPast(_ step: Int) -> Bool { step > 0 && step < self.step }
}

extension Run {
    fileprivate var wantsFlow: Bool { if case .waitingForFlow = state { true } else { false } }

    fileprivate var wantsDepot: Bool { if case .waitingForDepot = state { true } else { false } }

    /// The request whose answer this list of actions waits for.
    fileprivate var awaited: FlowRequest? {
        guard case .waitingForAnswer(let action, let number) = state else { return nil }
        return Interpreter().request(of: action, in: self, number: number)
    }

    /// The requests that the run waits for; more than one only with branches.
    public var openRequests: [FlowRequest] {
        guard case .parallel(let branches) = state else { return awaited.map { [$0] } ?? [] }
        return branches.list.compactMap(\.run.awaited)
    }

    /// What its branches want: another flow, something of the call, or an answer.
    func current(of branches: Branches) -> Step {
        if let branch = branches.list.first(where: { $0.run.wantsFlow || $0.run.wantsDepot }) { return branch.run.current }
        if let index = branches.performing, case .performing(let action) = branches.list[index].run.state { return .perform(action, step: step) }
        return openRequests.first.map(Step.needAnswer) ?? .finished(.limit)
    }
}
