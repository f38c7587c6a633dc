import Bus
import Contracts
import Database

/// `call.move`: by the instance that owns the call; any other passes it on.
struct Move: Sendable {
    let engine: CallEngine
    let store: CallStore
    let bus: Bus

    func perform(_ command: MoveCall, _ delivery: Delivery) async throws -> Call {
        guard await engine.owns(command) else { return try await passOn(command, delivery) }
        let context = CallContext(customer: command.customerID)
        switch command.target {
        case .conference(let id):
            let conference = try await bus.call(GetConference(customerID: command.customerID, id: id), context: context)
            return try await engine.move(command, toRoom: "", at: nil, conference: conference.id)
        case .room(let id):
            return try await move(command, toRoom: id)
        case .call(let id):
            guard id != command.id else { throw RPCError(.conflict, "the call is in its own room") }
            guard let (other, _) = try await store.find(id, customer: command.customerID) else { throw RPCError(.notFound, "no such call") }
            guard other.status == .inProgress, let room = other.roomID else { throw RPCError(.conflict, "that call is not talked through") }
            return try await move(command, toRoom: room)
        }
    }

    private func move(_ command: MoveCall, toRoom room: String) async throws -> Call {
        let found = try await bus.call(
            LocateRoom(customerID: command.customerID, roomID: room), context: CallContext(customer: command.customerID))
        return try await engine.move(
            command, toRoom: found.conferenceID == nil ? room : "", at: found.instance, conference: found.conferenceID)
    }

    private func passOn(_ command: MoveCall, _ delivery: Delivery) async throws -> Call {
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
