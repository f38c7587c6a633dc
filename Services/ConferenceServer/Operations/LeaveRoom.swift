import Bus
import Contracts

extension Wiring {
    func leave(_ command: LeaveRoom, _ delivery: Delivery) async throws -> Done {
        let departure = try await loops.loop(of: command.roomID)
            .leave(room: command.roomID, participant: command.participantID, epoch: command.epoch)
        await record(departure)
        return Done()
    }

    /// Writes down that somebody left, and tells of it when it was a conference.
    func record(_ departure: Departure?) async {
        guard let departure else { return }
        snapshots.note(departure.room.id)
        await tell("conference.left", departure.member.participant, of: departure.room)
    }

    /// Nobody's sound waits for an event, so one that cannot be written is only logged.
    func tell(_ type: String, _ participant: Participant, of room: RoomIdentity) async {
        guard room.conferenceID != nil else { return }
        do {
            try await store.record(type, participant, of: room)
            outbox.wake()
        } catch {
            runtime.logger.error("\(type) could not be recorded: \(error)", metadata: ["room": "\(room.id)"])
        }
    }
}
