import Addresses
import Bus
import Contracts

extension Wiring {
    func join(_ command: JoinRoom, _ delivery: Delivery) async throws -> JoinRoom.Reply {
        let identity = RoomIdentity(id: command.roomID, customerID: command.customerID)
        return JoinRoom.Reply(inside: try await seat(command.participant, in: identity))
    }

    /// Where the participant's relay sends its sound from now on.
    func seat(_ settings: ParticipantSettings, in identity: RoomIdentity, _ rules: MeetingRules? = nil) async throws -> InsideEndpoint {
        guard let relay = SocketAddress(settings.inside.address) else {
            throw RPCError(.invalid, "the relay's address is not ADDRESS:PORT")
        }
        let inside = try await loops.loop(of: identity.id).join(
            identity, settings, relay: relay, at: runtime.timestamp(), rules)
        snapshots.note(identity.id)
        return inside
    }
}
