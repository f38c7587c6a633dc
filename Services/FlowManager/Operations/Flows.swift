import Bus
import Contracts
import Flow
import ServiceKit

/// The operations on flows. One file per operation has what it does.
struct Flows: Sendable {
    let store: Store
    let outbox: Outbox
    let runtime: Runtime
    let validation: Validation
    /// Flows as they were when last looked at; whether one is still so is asked before each use.
    private let known: Generations<FlowDefinition>

    init(store: Store, outbox: Outbox, runtime: Runtime, validation: Validation, cached: Int) {
        (self.store, self.outbox, self.runtime, self.validation) = (store, outbox, runtime, validation)
        known = Generations(capacity: cached)
    }

    func serve(on bus: Bus) {
        bus.serve(CreateFlow.self) { try await create($0, $1) }
        bus.serve(GetFlow.self) { command, _ in try await get(command) }
        bus.serve(ListFlows.self) { command, _ in try await list(command) }
        bus.serve(UpdateFlow.self) { command, _ in try await update(command) }
        bus.serve(DeleteFlow.self) { command, _ in try await delete(command) }
    }

    /// The flow as it is at this moment; its actions are parsed again only after a change.
    func current(_ id: String, customerID: String) async throws -> FlowDefinition? {
        let cached = known[id].flatMap { $0.customerID == customerID ? $0 : nil }
        switch try await store.look(id, customerID: customerID, version: cached?.version) {
        case .unchanged: return cached
        case .missing:
            known[id] = nil
            return nil
        case .changed(let flow):
            known[id] = flow
            return flow
        }
    }

    /// The flow that follows the end of another must exist, and belong to the same customer.
    func checkSuccessor(_ id: String?, customerID: String) async throws {
        guard let id, !id.isEmpty else { return }
        guard try await current(id, customerID: customerID) == nil else { return }
        let problem = Contracts.Problem(
            pointer: "/on_complete_flow_id", code: "not_found", detail: "there is no flow \"\(id.prefix(64))\"")
        throw RPCError(.invalid, "the flow has mistakes", problems: [problem])
    }

    /// A flow's events are counted by its versions.
    static func event(_ type: String, _ flow: FlowDefinition, id: String, sequence: Int, at time: Timestamp) throws -> Event {
        Event(
            id: id, type: type, timestamp: time, customerID: flow.customerID, resourceID: flow.id, sequence: Int64(sequence),
            data: try JSONValue(encoding: flow))
    }
}
