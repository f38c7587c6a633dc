import Contracts

extension Wiring {
    /// A play that is over already is no error: it may have ended while the command was on its way.
    func stop(_ command: StopPlay, on loop: isolated MixerLoop) -> Done {
        loop.end(play: command.playID, room: command.roomID, .stopped)
        return Done()
    }
}
