import Bus
import Contracts

/// `call.listen` and `call.transcribe`: by the instance that owns the call; any other passes it on.
struct ListenToCalls: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: ListenToCall, _ delivery: Delivery) async throws -> Done {
        try await perform(command, on: command.id, of: command.customerID, .listenWanted(command.watch), delivery)
    }

    func perform(_ command: TranscribeCall, _ delivery: Delivery) async throws -> Done {
        try await perform(command, on: command.id, of: command.customerID, .transcriptionWanted(command.transcription), delivery)
    }

    private func perform<C: Command>(
        _ command: C, on id: String, of customer: String, _ event: LegEvent, _ delivery: Delivery
    ) async throws -> Done where C.Reply == Done {
        if try await engine.listen(id, of: customer, event) {
            try await engine.stored(id)
            return Done()
        }
        return try await owners.passOn(command, on: id, customer: customer, delivery)
    }
}

extension CallEngine {
    /// False when the call is not here, or is another customer's.
    func listen(_ id: String, of customer: String, _ event: LegEvent) throws -> Bool {
        guard let leg = legs[id]?.leg, leg.record.customerID == customer else { return false }
        guard !leg.isEnded else { throw RPCError(.conflict, "the call is over") }
        guard leg.isTalking else { throw RPCError(.conflict, "the call is not answered yet") }
        handle(id, event)
        return true
    }
}
