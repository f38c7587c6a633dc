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

extension Page {
    /// A page out of one element more than it may hold: the last is only the proof that there are more.
    init(_ elements: [Element], limit: Int, cursor: (Element) -> String) {
        let shown = Array(elements.prefix(limit))
        self.init(data: shown, nextCursor: elements.count > limit ? shown.last.map(cursor) : nil)
    }
}
