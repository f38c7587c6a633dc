import Bus
import Contracts
import Database

/// `call.hangup`: by the instance that owns the call; any other passes it on.
struct HangUp: Sendable {
    let engine: CallEngine
    let store: CallStore
    let bus: Bus

    func perform(_ command: HangUpCall, _ delivery: Delivery) async throws -> Call {
        if let call = try await engine.hangUp(command) { return call }
        guard let (call, server) = try await store.find(command.id, customer: command.customerID) else {
            throw RPCError(.notFound, "no such call")
        }
        guard !call.status.isFinal else { throw RPCError(.conflict, "the call is over") }
        // Passed on once only: the owner that does not know it any more says so.
        guard server != store.instance, delivery.sender.hasPrefix(ServiceName.apiGateway.rawValue) else {
            throw RPCError(.unavailable, "the call's server is being replaced; try again")
        }
        return try await bus.call(command, to: .instance(server), context: CallContext(customer: command.customerID))
    }
}

extension CallEngine {
    /// The record after the hang-up; nil when the call is not here, or is another customer's.
    func hangUp(_ command: HangUpCall) throws -> Call? {
        guard let leg = legs[command.id]?.leg, leg.record.customerID == command.customerID else { return nil }
        guard !leg.isEnded else { throw RPCError(.conflict, "the call is over") }
        handle(command.id, .hangUp(cause: command.cause ?? 16))
        return legs[command.id]?.leg.record
    }
}
