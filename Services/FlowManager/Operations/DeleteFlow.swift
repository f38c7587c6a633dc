import Bus
import Contracts
import Flow

extension Flows {
    /// Deletes a flow; runs of it that have begun go on.
    func delete(_ command: DeleteFlow) async throws -> Done {
        let (time, eventID) = (runtime.timestamp(), runtime.newID("evt"))
        let isDeleted = try await store.deleteFlow(command.id, customerID: command.customerID) { flow in
            try Self.event("flow.deleted", flow, id: eventID, sequence: flow.version + 1, at: time)
        }
        guard isDeleted else { throw RPCError(.notFound, "there is no such flow") }
        outbox.wake()
        return Done()
    }
}
