import Bus
import Contracts

/// `call.supervise`: performed by the instance that owns the supervisor's call; any other passes it on.
struct Supervise: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: SuperviseCall, _ delivery: Delivery) async throws -> SuperviseCall.Reply {
        guard command.id != command.supervisorCallID else { throw Self.invalid("/call_id", "a call does not supervise itself") }
        guard await engine.place(of: command.supervisorCallID, customer: command.customerID) != nil else {
            return try await passOn(command, delivery)
        }
        guard let mode = command.mode else { return try await stored(engine.superviseNoMore(command)) }
        let place = try await locate(command.id, command.customerID, "/id")
        var supervision = Supervision(mode: mode)
        if mode == .whisper { supervision.whisperTo = try await participant(command, in: place) }
        return try await stored(engine.supervise(command, Leg.Supervised(place: place, supervision: supervision)))
    }

    private func stored(_ reply: SuperviseCall.Reply) async throws -> SuperviseCall.Reply {
        try await engine.stored(reply.supervisorCallID)
        return reply
    }

    /// Whom the whisper is for.
    private func participant(_ command: SuperviseCall, in place: CallPlace) async throws -> String {
        guard let target = command.whisperTo else { return place.participantID }
        guard target.hasPrefix("call_") else { return target }
        let other = try await locate(target, command.customerID, "/whisper_to")
        guard other.roomID == place.roomID else { throw Self.invalid("/whisper_to", "that call is in another room") }
        return other.participantID
    }

    private func locate(_ id: String, _ customer: String, _ pointer: String) async throws -> CallPlace {
        if let place = await engine.place(of: id, customer: customer) { return try place.get() }
        let server = try await owners.owner(of: id, customer: customer)
        return try await owners.bus.call(LocateCall(customerID: customer, id: id), to: .instance(server), context: CallContext(customer: customer))
    }

    private func passOn(_ command: SuperviseCall, _ delivery: Delivery) async throws -> SuperviseCall.Reply {
        do {
            return try await owners.passOn(command, on: command.supervisorCallID, customer: command.customerID, delivery)
        } catch let error as RPCError where error.code == .notFound {
            throw Self.invalid("/call_id", "no such call")
        }
    }

    private static func invalid(_ pointer: String, _ detail: String) -> RPCError {
        RPCError(.invalid, "this cannot be supervised", problems: [Problem(pointer: pointer, code: "invalid_value", detail: detail)])
    }
}

extension CallEngine {
    /// Where a call sits, or why it is not in its room; nil when it is not here, or is another customer's.
    func place(of id: String, customer: String) -> Result<CallPlace, RPCError>? {
        guard let leg = legs[id]?.leg, leg.record.customerID == customer else { return nil }
        guard !leg.isEnded else { return .failure(RPCError(.conflict, "the call is over")) }
        guard leg.isSeated else { return .failure(RPCError(.conflict, "the call is not in a room yet")) }
        guard leg.seat.supervises == nil else { return .failure(RPCError(.conflict, "the call supervises another")) }
        return .success(
            CallPlace(callID: id, roomID: leg.seat.roomID, instance: leg.seat.instance, participantID: leg.seat.participantID))
    }

    func supervise(_ command: SuperviseCall, _ supervised: Leg.Supervised) throws -> SuperviseCall.Reply {
        let id = command.supervisorCallID
        guard let leg = legs[id]?.leg else { throw RPCError(.conflict, "the call is over") }
        if let objection = leg.objectionToSupervising { throw RPCError(.conflict, objection) }
        handle(id, .supervise(supervised))
        return reply(command, leg, supervised.place.roomID, supervised.supervision.whisperTo)
    }

    func superviseNoMore(_ command: SuperviseCall) throws -> SuperviseCall.Reply {
        let id = command.supervisorCallID
        guard let leg = legs[id]?.leg, leg.seat.supervises?.place.callID == command.id else {
            throw RPCError(.conflict, "the call does not supervise that one")
        }
        handle(id, .superviseNoMore)
        return reply(command, leg, leg.ownRoomID, nil)
    }

    private func reply(_ command: SuperviseCall, _ leg: Leg, _ room: String, _ whisperTo: String?) -> SuperviseCall.Reply {
        SuperviseCall.Reply(
            callID: command.id, supervisorCallID: command.supervisorCallID, participantID: leg.seat.participantID, roomID: room,
            mode: command.mode, whisperTo: whisperTo)
    }
}
