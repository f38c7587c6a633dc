import Bus
import Contracts
import Flow
import ServiceKit
import Threads

/// `call.control`: by the instance that owns the call; any other passes it on. What happens in the room is asked of the room, so that whoever
/// asked hears what came of it.
struct ControlOperation: Sendable {
    let engine: CallEngine
    let owners: CallOwners

    func perform(_ command: ControlCall, _ delivery: Delivery) async throws -> Call {
        guard await engine.owns(command.id, of: command.customerID) else {
            return try await owners.passOn(command, on: command.id, customer: command.customerID, delivery)
        }
        switch command.change {
        case .answer: return try await stored(engine.answer(command))
        case .redirect(let flowID, let actions): return try await stored(engine.redirect(command, flowID, actions))
        case .play(let id, let sources, let loop, let isForRoom):
            let seat = try await seat(command)
            var play = PlayInRoom(
                roomID: seat.roomID, participantID: isForRoom ? nil : seat.participantID, playID: id, sources: sources, loop: loop)
            play.operationID = id
            try await ask(play, seat, delivery)
        case .stopPlay(let id):
            let seat = try await seat(command)
            try await ask(StopPlay(roomID: seat.roomID, playID: id), seat, delivery)
        case .digits(let digits, let duration, let interval):
            let seat = try await seat(command)
            try await ask(
                SendDigits(roomID: seat.roomID, participantID: seat.participantID, digits: digits, duration: duration, interval: interval), seat,
                delivery)
        case .consult(let target): return try await stored(engine.consult(command, target))
        case .completeTransfer: return try await stored(engine.endConsultation(command, completes: true))
        case .cancelTransfer: return try await stored(engine.endConsultation(command, completes: false))
        case .joinPartners(let other):
            // Another instance's calls come here.
            if await !engine.owns(other, of: command.customerID) { await engine.bring(other, try await owners.find(other, command.customerID)) }
            return try await stored(engine.joinPartners(command, other))
        case .gather(let id, let action, let webhook): return try await stored(engine.gather(command, id, action, webhook))
        case .mute(let isMuted): return try await stored(engine.change(command, .muteWanted(isMuted)))
        case .hold(let isHeld): return try await stored(engine.change(command, .holdWanted(isHeld)))
        }
        return try await engine.record(of: command)
    }

    /// Whoever goes on with the call knows of it, as does the first leg.
    private func stored(_ call: Call) async throws -> Call {
        try await engine.stored(call.id, call.parentCallID ?? call.id)
        return call
    }

    private func seat(_ command: ControlCall) async throws -> Leg.Seat {
        guard let seat = try await engine.heardSeat(of: command) else {
            throw RPCError(.unavailable, "the call's server is being replaced; try again")
        }
        return seat
    }

    private func ask<C: Command>(_ command: C, _ seat: Leg.Seat, _ delivery: Delivery) async throws where C.Reply == Done {
        // Several commands come of one: each has a key of its own, or none.
        var context = delivery.context(now: MonotonicClock.now())
        context.idempotencyKey = nil
        _ = try await owners.bus.call(command, to: .instance(seat.instance), context: context)
    }
}

extension CallEngine {
    func owns(_ id: String, of customer: String) -> Bool { legs[id]?.leg.record.customerID == customer }

    /// Where the call hears and is heard.
    func heardSeat(of command: ControlCall) throws -> Leg.Seat? {
        guard let seat = try seat(of: command.id, customer: command.customerID) else { return nil }
        guard legs[command.id]?.leg.phase == .up else { throw RPCError(.conflict, "the call is not answered yet") }
        return seat
    }

    func record(of command: ControlCall) throws -> Call {
        try leg(of: command).record
    }

    /// What concerns a call that is talked through.
    func change(_ command: ControlCall, _ event: LegEvent) throws -> Call {
        let leg = try leg(of: command)
        guard leg.phase == .up else { throw RPCError(.conflict, leg.isEnded ? "the call is over" : "the call is not answered yet") }
        handle(command.id, event)
        return legs[command.id]?.leg.record ?? leg.record
    }

    func leg(of command: ControlCall) throws -> Leg {
        guard let leg = legs[command.id]?.leg, leg.record.customerID == command.customerID else { throw RPCError(.notFound, "no such call") }
        return leg
    }

    func answer(_ command: ControlCall) throws -> Call {
        let leg = try leg(of: command)
        guard leg.isInbound, leg.phase == .preparing || leg.phase == .ringing else {
            throw RPCError(.conflict, leg.isEnded ? "the call is over" : leg.isInbound ? "the call is answered" : "its phone answers it")
        }
        handle(command.id, .answerWanted)
        return legs[command.id]?.leg.record ?? leg.record
    }

    func redirect(_ command: ControlCall, _ flowID: String?, _ actions: [Action]?) throws -> Call {
        let leg = try leg(of: command)
        if let objection = leg.objectionToRedirecting { throw RPCError(.conflict, objection) }
        handle(command.id, .redirected(flowID: flowID, actions: actions))
        return legs[command.id]?.leg.record ?? leg.record
    }
}
