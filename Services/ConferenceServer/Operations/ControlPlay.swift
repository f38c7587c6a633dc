import Contracts

extension Wiring {
    func control(_ command: ControlPlay, on loop: isolated MixerLoop) throws(RPCError) -> PlayState {
        let state = try loop.control(command)
        snapshots.note(command.roomID)
        return state
    }
}
