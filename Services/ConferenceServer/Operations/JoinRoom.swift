import Addresses
import Bus
import Contracts
import Threads

extension Wiring {
    func join(_ command: JoinRoom, _ delivery: Delivery) async throws -> JoinRoom.Reply {
        let identity = RoomIdentity(id: command.roomID, customerID: command.customerID)
        if let former = command.participant.resumes, let host = try await successor(of: command.roomID, former) {
            // The others of the room have found it there.
            var forwarded = command
            forwarded.participant.resumes = nil
            let context = delivery.context(now: MonotonicClock.now())
            let reply = try await bus.call(forwarded, to: .instance(host), context: context)
            return JoinRoom.Reply(inside: reply.inside, instance: host)
        }
        return JoinRoom.Reply(inside: try await seat(command.participant, in: identity))
    }

    /// Goes on with a room whose instance is gone; another's name when it has done so.
    private func successor(of room: String, _ former: String) async throws -> String? {
        let fleet = runtime.fleet
        return try await snapshots.claim(room, successor: nil, resumes: true) { owner in
            owner != former && fleet.isAlive(.conferenceServer, instance: owner)
        }
    }

    /// Where the participant's relay sends its sound from now on.
    func seat(_ settings: ParticipantSettings, in identity: RoomIdentity, _ rules: MeetingRules? = nil) async throws -> InsideEndpoint {
        guard let relay = SocketAddress(settings.inside.address) else {
            throw RPCError(.invalid, "the relay's address is not ADDRESS:PORT")
        }
        let inside = try await loops.loop(of: identity.id).join(
            identity, settings, relay: relay, at: runtime.timestamp(), rules, isOwnershipOnly: settings.resumes == runtime.instance)
        recorder.seated(settings, in: identity.id)
        snapshots.note(identity.id)
        if let from = settings.from { snapshots.note(from) }
        return inside
    }

    func locate(_ command: LocateRoom, _ delivery: Delivery) async throws -> LocateRoom.Reply {
        guard let found = try await snapshots.locate(command.roomID, customer: command.customerID),
            runtime.fleet.isAlive(.conferenceServer, instance: found.instance)
        else { throw RPCError(.notFound, "no such room") }
        return found
    }
}
