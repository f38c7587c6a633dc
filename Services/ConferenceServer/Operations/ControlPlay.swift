import Contracts

extension Wiring {
    func control(_ command: ControlPlay, on loop: isolated MixerLoop) throws(RPCError) -> PlayState {
        try loop.control(command)
    }
}
