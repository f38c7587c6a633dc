import Bus
import Contracts

/// `call.stream`: begins or ends a media stream of a call; by the instance that owns the call, any other passes it on.
struct StreamOperation: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: StreamCall, _ delivery: Delivery) async throws -> Done {
        guard let place = await engine.place(of: command.id, customer: command.customerID) else {
            return try await owners.passOn(command, on: command.id, customer: command.customerID, delivery)
        }
        switch command.change {
        case .start(let settings):
            let place = try place.get()
            let start = StartStream(
                roomID: place.roomID, customerID: command.customerID, callID: command.id, participantID: place.participantID,
                owner: owners.store.instance, stream: settings)
            let reply = try await owners.bus.call(start, to: .instance(place.instance), context: CallContext(customer: command.customerID))
            await engine.handle(command.id, .streamStarted(reply.stream))
        case .stop(let id):
            guard await engine.hasStream(id, command.id) else { throw RPCError(.notFound, "no such stream") }
            await engine.handle(command.id, .streamUnwanted(id: id))
        }
        try await engine.stored(command.id)
        return Done()
    }
}

extension CallEngine {
    func hasStream(_ stream: String, _ id: String) -> Bool { legs[id]?.leg.streams?.contains { $0.id == stream } == true }

    func startStream(_ leg: Leg, _ settings: StreamSettings) {
        let command = StartStream(
            roomID: leg.seat.roomID, customerID: leg.record.customerID, callID: leg.record.id, participantID: leg.seat.participantID,
            owner: runtime.instance, stream: settings)
        ask(command, for: leg, "stream/\(settings.id)/\(leg.seat.number)", at: leg.seat.instance) {
            .streamStarted($0.stream)
        } failed: { .streamRefused(id: settings.id, $0) }
    }

    func stopStream(_ leg: Leg, _ id: String) {
        bus.tell(
            StopStream(roomID: leg.seat.roomID, customerID: leg.record.customerID, streamID: id), to: .instance(leg.seat.instance),
            context: CallContext(customer: leg.record.customerID))
    }
}
