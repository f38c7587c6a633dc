import Contracts

extension Wiring {
    private static let sourceLimit = 50

    /// Accepted at once: sources are rendered and heard one by one, and the end of the play is told later.
    func play(_ command: PlayInRoom, on loop: isolated MixerLoop) throws(RPCError) -> Done {
        guard (1...Self.sourceLimit).contains(command.sources.count) else {
            throw RPCError(.invalid, "a play has 1 to \(Self.sourceLimit) sources")
        }
        let play = Play(
            id: command.playID, loops: command.loop || command.sources.last == .ringback, stopsOnDigit: command.stopOnDigit)
        guard try loop.play(play, room: command.roomID, participant: command.participantID) else { return Done() }
        let job = Rendering.Job(room: command.roomID, playID: command.playID, sources: command.sources)
        if !rendering.submit(job) {
            loop.end(play: command.playID, room: command.roomID, .failed("too many plays are being prepared"))
        }
        snapshots.note(command.roomID)
        return Done()
    }
}
