import Bus
import Contracts
import Threads

/// `call.record`: by the instance that owns the call, which knows its seat; any other passes it on.
struct Record: Sendable {
    let engine: CallEngine
    let store: CallStore
    let bus: Bus

    func perform(_ command: RecordCall, _ delivery: Delivery) async throws -> Recording {
        let context = delivery.context(now: MonotonicClock.now())
        if let seat = try await engine.seat(of: command.id, customer: command.customerID) {
            let start = StartRecording(
                customerID: command.customerID, recordingID: command.recordingID, roomID: seat.roomID, callID: command.id,
                participantID: seat.participantID, terms: command.terms)
            return try await bus.call(start, to: .instance(seat.instance), context: context)
        }
        guard let (call, server) = try await store.find(command.id, customer: command.customerID) else {
            throw RPCError(.notFound, "no such call")
        }
        guard !call.status.isFinal else { throw RPCError(.conflict, "the call is over") }
        // Passed on once only: the owner that does not know it any more says so.
        guard server != store.instance, delivery.sender.hasPrefix(ServiceName.apiGateway.rawValue) else {
            throw RPCError(.unavailable, "the call's server is being replaced; try again")
        }
        return try await bus.call(command, to: .instance(server), context: context)
    }
}

extension CallEngine {
    /// Where the call sits; nil when it is not here, or is another customer's.
    func seat(of id: String, customer: String) throws -> Leg.Seat? {
        guard let leg = legs[id]?.leg, leg.record.customerID == customer else { return nil }
        guard !leg.isEnded, leg.isSeated else { throw RPCError(.conflict, "the call is over, or sits in no room yet") }
        return leg.seat
    }
}
