import Contracts

extension Wiring {
    func sendDigits(_ command: SendDigits, on loop: isolated MixerLoop) throws(RPCError) -> Done {
        try loop.send(
            digits: command.digits, duration: command.duration, interval: command.interval, room: command.roomID,
            participant: command.participantID)
        return Done()
    }
}
