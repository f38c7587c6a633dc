import Bus
import Contracts

extension Wiring {
    /// A play that is over already is no error: it may have ended while the command was on its way.
    func stop(_ command: StopPlay, _ delivery: Delivery) async throws -> Done {
        await loops.loop(of: command.roomID).end(play: command.playID, room: command.roomID, .stopped)
        await snapshots.note(command.roomID)
        return Done()
    }
}
