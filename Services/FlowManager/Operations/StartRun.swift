import Bus
import Contracts
import Flow

extension Runs {
    /// Starts a run and gives its first action. A run id is used once: starting it again gives what it wants now.
    func start(_ command: StartRun) async throws -> RunStep {
        let time = time(of: command.at)
        var run = Run(actions: try await actions(of: command), variables: variables(of: command), after: max(0, command.after ?? 0))
        let progress = interpreter.start(&run, at: time.seconds)
        return try await answer(try await begin(run, progress, of: command, at: time))
    }

    /// Stores it, once. `chain`: of one without a call, how many came before it.
    func begin(_ started: Run, _ progress: Interpreter.Progress, of command: StartRun, chain: Int? = nil, at time: Timestamp) async throws -> StoredRun {
        var run = started
        let move = try await resolve(progress, of: &run, customerID: command.customerID, at: time)
        let record = RunRecord(
            id: command.runID, customerID: command.customerID, flowID: command.flowID, referenceID: command.referenceID,
            status: StoredRun.running, step: 0, createdAt: time, endedAt: nil)
        var (stored, events) = StoredRun(record: record, run: nil, version: 0, sequence: 0, chain: chain)
            .moved(to: run, move.occurrences, at: time)
        let requests = assign(run, to: &stored, before: [:], at: time)
        var isNew = false
        defer { if !isNew { release(requests, of: command.runID) } }
        let sent = webhooks.rows(move.sends, of: record)
        (isNew, stored.life) = try await store.insert(stored, events, sent, durably: Self.mustLast(stored, with: requests))
        guard isNew else {
            guard let existing = try await self.stored(command.runID, customerID: command.customerID) else {
                throw RPCError(.conflict, "the run id belongs to another run")
            }
            return existing
        }
        Self.started.add()
        if stored.run == nil { Self.finished.add() }
        known[command.runID] = stored
        recollection.wrote(stored, events, sent.list)
        trace(move.occurrences, of: record)
        outbox.wake()
        webhooks.deliver(sent)
        makeRequests(requests, of: stored.record)
        return stored
    }

    private func actions(of command: StartRun) async throws -> [Action] {
        if let actions = command.actions { return actions }
        guard let id = command.flowID else { throw RPCError(.invalid, "a run needs a flow or actions") }
        guard let flow = try await flows.current(id, customerID: command.customerID) else {
            throw RPCError(.notFound, "there is no such flow")
        }
        return flow.actions
    }

    func variables(of command: StartRun) -> Variables {
        var values = command.variables
        values["voipbin.activeflow.id"] = command.runID
        values["voipbin.activeflow.reference_id"] = command.referenceID
        values["voipbin.activeflow.flow_id"] = command.flowID ?? ""
        return Variables(values)
    }
}
