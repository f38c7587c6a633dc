import Contracts

extension Wiring {
    func set(_ command: SetParticipant, on loop: isolated MixerLoop) throws(RPCError) -> Done {
        try loop.set(
            room: command.roomID, participant: command.participantID, muted: command.muted, deaf: command.deaf,
            echo: command.echo)
        snapshots.note(command.roomID)
        return Done()
    }
}
