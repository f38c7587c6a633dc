import Addresses
import Contracts

extension Wiring {
    func set(_ command: SetParticipant, on loop: isolated MixerLoop) throws(RPCError) -> Done {
        let relay = command.inside.flatMap { SocketAddress($0.address) }
        guard relay != nil || command.inside == nil else { throw RPCError(.invalid, "the relay's address is not ADDRESS:PORT") }
        try loop.set(
            room: command.roomID, participant: command.participantID, muted: command.muted, deaf: command.deaf,
            echo: command.echo, hidesKeys: command.hidesKeys, direction: command.direction)
        if let inside = command.inside, let relay {
            try loop.point(room: command.roomID, participant: command.participantID, at: inside, relay, of: (command.relay, command.session))
        }
        return Done()
    }
}
