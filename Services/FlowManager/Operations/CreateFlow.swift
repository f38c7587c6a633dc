import Bus
import Contracts
import Flow

extension Flows {
    /// Stores a flow after naming every mistake in it. The same delivery again gives the flow that it made the first time.
    func create(_ command: CreateFlow, _ delivery: Delivery) async throws -> FlowDefinition {
        let draft = try FlowDraft(name: command.name, actions: command.actions, validation: validation)
        try await checkSuccessor(command.onCompleteFlowID, customerID: command.customerID)
        let time = runtime.timestamp()
        let flow = FlowDefinition(
            id: runtime.newID("flow"), customerID: command.customerID, name: command.name, actions: draft.actions ?? [],
            onCompleteFlowID: command.onCompleteFlowID.flatMap { $0.isEmpty ? nil : $0 }, version: 1, createdAt: time,
            updatedAt: time)
        let stored = try await store.create(
            flow, idempotencyKey: delivery.idempotencyKey ?? delivery.messageID,
            event: try Self.event("flow.created", flow, id: runtime.newID("evt"), sequence: 1, at: time))
        outbox.wake()
        return stored
    }
}
