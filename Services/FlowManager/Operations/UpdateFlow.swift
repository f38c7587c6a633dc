import Bus
import Contracts
import Flow

extension Flows {
    /// Changes what is given and counts the version up. Runs that have begun go on with the actions they began with.
    func update(_ command: UpdateFlow) async throws -> FlowDefinition {
        let draft = try FlowDraft(name: command.name, actions: command.actions, validation: validation)
        try await checkSuccessor(command.onCompleteFlowID, customerID: command.customerID)
        let (time, eventID) = (runtime.timestamp(), runtime.newID("evt"))
        let flow = try await store.change(
            command.id, customerID: command.customerID, name: draft.name, actions: draft.actions,
            onCompleteFlowID: command.onCompleteFlowID, at: time
        ) { flow in
            try Self.event("flow.updated", flow, id: eventID, sequence: flow.version, at: time)
        }
        guard let flow else { throw RPCError(.notFound, "there is no such flow") }
        outbox.wake()
        return flow
    }
}
