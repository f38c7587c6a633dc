import Bus
import Contracts

/// `call.hangup`: by the instance that owns the call; any other passes it on.
struct HangUp: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: HangUpCall, _ delivery: Delivery) async throws -> Call {
        if let call = try await engine.hangUp(command) { return call }
        return try await owners.passOn(command, on: command.id, customer: command.customerID, delivery)
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
