import Bus
import Contracts
import Flow

extension Runs {
    /// Starts a run and gives its first action. A run id is used once: starting it again gives what it wants now.
    func start(_ command: StartRun) async throws -> RunStep {
        let time = runtime.timestamp()
        var run = Run(actions: try await actions(of: command), variables: variables(of: command))
        let progress = interpreter.start(&run, at: time.seconds)
        let move = try await resolve(progress, of: &run, customerID: command.customerID, at: time)
        let record = RunRecord(
            id: command.runID, customerID: command.customerID, flowID: command.flowID, referenceID: command.referenceID,
            status: StoredRun.running, step: 0, createdAt: time, endedAt: nil)
        var (stored, events) = StoredRun(record: record, run: nil, version: 0, sequence: 0)
            .moved(to: run, move.occurrences, at: time, makeID: runtime.newID)
        stored.asking = asking(run, at: time)
        let request = reserve(run, of: command.runID)
        var isNew = false
        defer { if !isNew, let request { underWay.end(request) } }
        isNew = try await store.insert(stored, events)
        guard isNew else {
            guard let existing = try await store.storedRun(command.runID, customerID: command.customerID) else {
                throw RPCError(.conflict, "the run id belongs to another run")
            }
            return try await answer(existing)
        }
        Self.started.add()
        if stored.run == nil { Self.finished.add() }
        known[command.runID] = stored
        outbox.wake()
        makeRequests(stored, move.sends)
        return try await answer(stored)
    }

    private func actions(of command: StartRun) async throws -> [Action] {
        if let actions = command.actions { return actions }
        guard let id = command.flowID else { throw RPCError(.invalid, "a run needs a flow or actions") }
        guard let flow = try await flows.current(id, customerID: command.customerID) else {
            throw RPCError(.notFound, "there is no such flow")
        }
        return flow.actions
    }

    private func variables(of command: StartRun) -> Variables {
        var values = command.variables
        values["voipbin.activeflow.id"] = command.runID
        values["voipbin.activeflow.reference_id"] = command.referenceID
        values["voipbin.activeflow.flow_id"] = command.flowID ?? ""
        return Variables(values)
    }
}
