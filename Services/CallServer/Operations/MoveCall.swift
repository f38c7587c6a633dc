import Bus
import Contracts

/// `call.move`: by the instance that owns the call; any other passes it on.
struct Move: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: MoveCall, _ delivery: Delivery) async throws -> Call {
        guard await engine.owns(command) else {
            return try await owners.passOn(command, on: command.id, customer: command.customerID, delivery)
        }
        let context = CallContext(customer: command.customerID)
        switch command.target {
        case .conference(let id):
            let conference = try await owners.bus.call(GetConference(customerID: command.customerID, id: id), context: context)
            return try await stored(engine.move(command, toRoom: "", at: nil, conference: conference.id))
        case .room(let id):
            return try await move(command, toRoom: id)
        case .call(let id):
            guard id != command.id else { throw RPCError(.conflict, "the call is in its own room") }
            guard let (other, _) = try await owners.store.find(id, customer: command.customerID) else { throw RPCError(.notFound, "no such call") }
            guard other.status == .inProgress, let room = other.roomID else { throw RPCError(.conflict, "that call is not talked through") }
            return try await move(command, toRoom: room)
        }
    }

    private func move(_ command: MoveCall, toRoom room: String) async throws -> Call {
        let found = try await owners.bus.call(
            LocateRoom(customerID: command.customerID, roomID: room), context: CallContext(customer: command.customerID))
        return try await stored(engine.move(
            command, toRoom: found.conferenceID == nil ? room : "", at: found.instance, conference: found.conferenceID))
    }

    private func stored(_ call: Call) async throws -> Call {
        try await engine.stored(call.id)
        return call
    }
}

extension CallEngine {
    func owns(_ command: MoveCall) -> Bool { legs[command.id]?.leg.record.customerID == command.customerID }

    /// The record as it is while the call goes there. `instance` nil: where the call is, which knows who has the conference.
    func move(_ command: MoveCall, toRoom room: String, at instance: String?, conference: String?) throws -> Call {
        guard let leg = legs[command.id]?.leg, leg.record.customerID == command.customerID else { throw RPCError(.notFound, "no such call") }
        guard leg.phase == .up, leg.isSeated else { throw RPCError(.conflict, "the call is not talked through, or is on its way already") }
        guard conference == nil || leg.seat.conferenceID != conference else { return leg.record }
        handle(command.id, .moveRequested(roomID: room, instance: instance ?? leg.seat.instance, conferenceID: conference))
        return legs[command.id]?.leg.record ?? leg.record
    }
}
