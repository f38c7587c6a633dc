import Bus
import Contracts

extension Wiring {
    func leave(_ command: LeaveRoom, _ delivery: Delivery) async throws -> Done {
        let departure = try await loops.loop(of: command.roomID)
            .leave(room: command.roomID, participant: command.participantID, epoch: command.epoch)
        record(departure)
        return Done()
    }

    func leave(_ command: LeaveRooms, _ delivery: Delivery) async throws -> Done {
        guard command.places.count <= LeaveRooms.limit else { throw RPCError(.invalid, "too many places to leave at once") }
        for place in command.places {
            do { _ = try await leave(place, delivery) } catch let error as RPCError where error.code == .fenced {
                // It has another owner now, who says when it leaves.
                continue
            }
        }
        return Done()
    }

    /// Writes down that somebody left; of conferences the mixer tells.
    func record(_ departure: Departure?) {
        if let departure { snapshots.note(departure.room.id) }
    }
}
