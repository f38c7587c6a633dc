import Bus
import Contracts

extension Wiring {
    func sendDigits(_ command: SendDigits, _ delivery: Delivery) async throws -> Done {
        try await loops.loop(of: command.roomID).send(
            digits: command.digits, duration: command.duration, interval: command.interval, room: command.roomID,
            participant: command.participantID)
        return Done()
    }
}
