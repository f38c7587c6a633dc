import Contracts

extension Wiring {
    private static let sourceLimit = 50
    private static let repeatLimit = 10_000

    /// Accepted at once: sources are rendered and heard one by one, and the end of the play is told later.
    func play(_ command: PlayInRoom, on loop: isolated MixerLoop) throws(RPCError) -> Done {
        guard (1...Self.sourceLimit).contains(command.sources.count) else {
            throw RPCError(.invalid, "a play has 1 to \(Self.sourceLimit) sources")
        }
        if let repeats = command.repeats, !(1...Self.repeatLimit).contains(repeats) {
            throw RPCError(.invalid, "a play is heard 1 to \(Self.repeatLimit) times, or with loop for ever")
        }
        guard try loop.play(command) else { return Done() }
        let job = Rendering.Job(
            room: command.roomID, customer: loop.customer(of: command.roomID) ?? "", playID: command.playID,
            sources: command.sources)
        if !rendering.submit(job) {
            loop.end(play: command.playID, room: command.roomID, .failed("too many plays are being prepared"))
        }
        return Done()
    }
}
