import Bus
import Contracts

extension Flows {
    func get(_ command: GetFlow) async throws -> FlowDefinition {
        guard let flow = try await store.flow(command.id, customerID: command.customerID) else {
            throw RPCError(.notFound, "there is no such flow")
        }
        return flow
    }

    func list(_ command: ListFlows) async throws -> Page<FlowDefinition> {
        let flows = try await store.flows(
            customerID: command.customerID, after: command.page.cursor, limit: command.page.limit, name: command.name)
        return Page(flows, limit: command.page.limit, cursor: \.id)
    }
}
