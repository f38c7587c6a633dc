import Addresses
import Bus
import Contracts
import Deadlines
import RTP
import Threads

/// Takes the place that a new session is to have in a room. The session is there by then, whatever comes of its place: what the relay cannot take,
/// the call's owner tries.
extension MediaLoop {
    /// A room answers within milliseconds, and whoever asked for the session is not to give up on it for its place.
    private static var patience: Interval { .milliseconds(400) }

    func create(
        _ command: CreateMediaSession, over bus: Bus, _ respond: @escaping @Sendable (Result<CreateMediaSession.Reply, RPCError>) -> Void
    ) {
        let reply: CreateMediaSession.Reply
        do throws(RPCError) { reply = try create(command) } catch { return respond(.failure(error)) }
        guard let seating = command.seating else { return respond(.success(reply)) }
        var join = JoinRoom(roomID: seating.roomID, customerID: command.customerID, participant: seating.participant)
        join.participant.inside = reply.inside
        // A session of the same name at another relay, or made anew, asks for itself: its room is to send elsewhere.
        let key = "\(command.sessionID)/\(command.epoch)/\(reply.inside.address)/\(reply.inside.ssrc)"
        let context = CallContext(customer: command.customerID, idempotencyKey: key, deadline: Self.patience)
        let began = MonotonicClock.now()
        bus.call(join, to: .instance(seating.mixer), context: context) { [self] result in
            let place = result.map {
                CreateMediaSession.Place(
                    inside: $0.inside, instance: $0.instance, microseconds: (MonotonicClock.now() - began).nanoseconds / 1_000)
            }
            post { loop in respond(.success(loop.seated(command, seating, reply, place, over: bus))) }
        }
    }

    private func seated(
        _ command: CreateMediaSession, _ seating: CreateMediaSession.Seating, _ reply: CreateMediaSession.Reply,
        _ result: Result<CreateMediaSession.Place, RPCError>, over bus: Bus
    ) -> CreateMediaSession.Reply {
        guard case .success(let place) = result else {
            if let name = names[command.sessionID], let leg = legs[name] { keep(leg) }
            return reply
        }
        var reply = reply
        // It may have ended, or been pointed elsewhere, by a later owner.
        if let address = SocketAddress(place.inside.address), let name = names[command.sessionID], let leg = legs[name], leg.epoch == command.epoch,
            leg.peer == nil, leg.session.room == nil || leg.session.room == address
        {
            leg.session.link(to: address, ssrc: SSRC(place.inside.ssrc))
            save(leg)
            reply.place = place
        } else {
            let leave = LeaveRoom(roomID: seating.roomID, participantID: seating.participant.participantID, epoch: command.epoch)
            if let name = names[command.sessionID], let leg = legs[name] { keep(leg) }
            bus.tell(leave, to: .instance(place.instance ?? seating.mixer), context: CallContext(customer: command.customerID))
        }
        return reply
    }
}
