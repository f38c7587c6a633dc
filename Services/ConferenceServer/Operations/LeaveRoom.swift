import Bus
import Contracts

extension Wiring {
    func leave(_ command: LeaveRoom, _ delivery: Delivery) async throws -> Done {
        let departure = try await loops.loop(of: command.roomID)
            .leave(room: command.roomID, participant: command.participantID, epoch: command.epoch)
        record(departure)
        return Done()
    }

    /// Writes down that somebody left; of conferences the mixer tells.
    func record(_ departure: Departure?) {
        if let departure { snapshots.note(departure.room.id) }
    }
}
