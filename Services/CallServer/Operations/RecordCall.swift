import Bus
import Contracts
import Threads

/// `call.record`: by the instance that owns the call, which knows its seat; any other passes it on.
struct Record: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: RecordCall, _ delivery: Delivery) async throws -> Recording {
        if let seat = try await engine.seat(of: command.id, customer: command.customerID) {
            let start = StartRecording(
                customerID: command.customerID, recordingID: command.recordingID, roomID: seat.roomID, callID: command.id,
                participantID: seat.participantID, terms: command.terms)
            let recording = try await owners.bus.call(start, to: .instance(seat.instance), context: delivery.context(now: MonotonicClock.now()))
            await engine.handle(command.id, .recorded(id: recording.id))
            try await engine.stored(command.id)
            return recording
        }
        return try await owners.passOn(command, on: command.id, customer: command.customerID, delivery)
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
