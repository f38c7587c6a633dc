import Bus
import Contracts
import Deadlines
import Threads

/// What is to be changed of a seat and has not been confirmed: all of it in one command, of which one is under way at a time, so that what was said last
/// is what stays.
struct SeatSettings {
    let instance: String
    let customer: String
    var command: SetParticipant
    var revision = 0
    var isUnderWay = false
}

/// Mute, hold, echo and secrets: asked for until the room has heard them, for the broker may die in that moment.
extension CallEngine {
    private static let settingAttempts = 50
    private static let settingPause = Interval.milliseconds(200)

    func set(_ leg: Leg, _ change: (inout SetParticipant) -> Void) {
        let (seat, fresh) = (leg.seat, SetParticipant(roomID: leg.seat.roomID, participantID: leg.seat.participantID))
        var settings = seatSettings[seat.participantID] ?? SeatSettings(instance: seat.instance, customer: leg.record.customerID, command: fresh)
        if settings.instance != seat.instance || settings.command.roomID != seat.roomID {
            // What was said of another seat was said to its room; this one began with what holds.
            let revision = settings.revision
            settings = SeatSettings(instance: seat.instance, customer: leg.record.customerID, command: fresh)
            settings.revision = revision
        }
        change(&settings.command)
        settings.revision += 1
        let isUnderWay = settings.isUnderWay
        settings.isUnderWay = true
        seatSettings[seat.participantID] = settings
        if !isUnderWay { send(settingsOf: seat.participantID, attempt: 1) }
    }

    private func send(settingsOf participant: String, attempt: Int) {
        guard let settings = seatSettings[participant] else { return }
        bus.call(settings.command, to: .instance(settings.instance), context: CallContext(customer: settings.customer)) { [loop] result in
            loop.post { self.assumeIsolated { $0.answered(settings.revision, of: participant, result, attempt: attempt) } }
        }
    }

    private func answered(_ revision: Int, of participant: String, _ result: Result<Done, RPCError>, attempt: Int) {
        guard let settings = seatSettings[participant] else { return }
        if case .failure(let error) = result, [.unavailable, .timeout].contains(error.code), attempt < Self.settingAttempts {
            loop.schedule(at: loop.now + Self.settingPause) { self.assumeIsolated { $0.send(settingsOf: participant, attempt: attempt + 1) } }
            return
        }
        // Said meanwhile: all of it, what is confirmed as well.
        if settings.revision != revision { return send(settingsOf: participant, attempt: 1) }
        seatSettings[participant] = nil
    }
}
