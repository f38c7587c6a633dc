import Bus
import Contracts

extension Wiring {
    func set(_ command: SetParticipant, _ delivery: Delivery) async throws -> Done {
        try await loops.loop(of: command.roomID).set(
            room: command.roomID, participant: command.participantID, muted: command.muted, deaf: command.deaf,
            echo: command.echo)
        await snapshots.note(command.roomID)
        return Done()
    }
}
