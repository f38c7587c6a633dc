import Contracts
import Logging
import ServiceKit
import Telemetry

/// Tells the CallServer instance that owns a call what happened to it in its room, or its successor. The mixer does not wait for
/// anybody.
struct Signals: Sendable {
    let owners: OwnerSignals
    let plays: PlayEvents
    let minutes: Minutes
    let recorder: Recorder
    let logger: Logger
    let gate = SignalGate()
    let links: LinkOrders
    let spoken: SpokenOrders

    /// The bus is there.
    func open() { for event in gate.open() { tell(event) } }

    func tell(_ event: MixerEvent) {
        // What is spoken needs no bus.
        if case .say(let order) = event { return spoken.perform(order) }
        guard gate.passes(event) else { return }
        switch event {
        case .digit(let callID, let owner, let digit, let milliseconds):
            let key = owners.newKey()
            owners.tell(
                DigitPressed(callID: callID, digit: String(digit), duration: milliseconds, pressID: key), about: callID, to: owner, key: key)
        case .played(let callID, let owner, let playID, let end, let milliseconds):
            logger.debug(
                "play ended",
                metadata: ["call": "\(callID)", "play": "\(playID)", "end": "\(end)", "heard_ms": "\(milliseconds)"])
            let (reason, detail) = end.told
            owners.tell(
                PlayFinished(callID: callID, playID: playID, reason: reason, detail: detail, position: milliseconds), about: callID, to: owner)
        case .play(let room, let participantID, let playID, let end, let milliseconds):
            plays.note(room, participantID: participantID, playID: playID, end, milliseconds: milliseconds)
        case .unheard(let roomID, let participantID):
            logger.info("nothing heard for 30 s", metadata: ["room": "\(roomID)", "participant": "\(participantID)"])
        case .stoodStill: minutes.noteStandstill()
        case .link(let order): links.perform(order)
        case .say(let order): spoken.perform(order)
        case .heard(let callID, let owner, let watchID, let finding):
            owners.tell(HeardInRoom(callID: callID, watchID: watchID, finding: finding), about: callID, to: owner)
        case .conference(let news):
            minutes.note(news)
        case .expelled(let expulsion):
            let (settings, room) = (expulsion.departure.member.settings, expulsion.departure.room.id)
            minutes.noteChange(of: room)
            owners.tell(
                ParticipantRemoved(callID: settings.callID, roomID: room, reason: expulsion.reason), about: settings.callID, to: settings.owner)
        case .tapEnded(let end):
            recorder.tapEnded(end)
        }
    }
}

extension Play.End {
    var told: (PlayFinished.Reason, detail: String?) {
        switch self {
        case .completed: (.completed, nil)
        case .stopped: (.stopped, nil)
        case .digit: (.digit, nil)
        case .speech: (.speech, nil)
        case .failed(let detail): (.failed, detail)
        }
    }
}
