import Contracts
import Logging

// A room that was taken over sounds at once; what is not done by its mixer follows.
extension Wiring {
    /// What of a room that was taken over is not done by its mixer.
    func revive(_ room: RoomSnapshot) async {
        await continueRecordings(of: room)
        await resumeStreams(of: room)
        await resumeTranscriptions(of: room)
    }

    private func resumeTranscriptions(of room: RoomSnapshot) async {
        for member in room.members {
            for watch in member.watches ?? [] where watch.transcription != nil {
                let command = ListenInRoom(
                    roomID: room.id, participantID: member.settings.participantID, epoch: member.settings.epoch, watch: watch)
                do throws(RPCError) { _ = try await listen(command, on: loops.loop(of: room.id)) } catch {
                    runtime.logger.warning("a transcription does not go on: \(error)", metadata: ["room": "\(room.id)"])
                }
            }
        }
    }
}
