import Bytes
import Contracts
import Deadlines
import Flow

/// What the API does with a leg that goes on.
extension Leg {
    /// Why the leg cannot be sent to another flow; nil when it can.
    var objectionToRedirecting: String? {
        if isEnded { return "the call is over" }
        if record.parentCallID != nil, !isTalking || record.answeredAt == nil || screening.map({ $0.stage != .done }) == true {
            return "the call was made by another, and is not talked through yet"
        }
        if seat.supervises != nil { return "the call supervises another" }
        return nil
    }

    /// Begins another flow in place of the one there is. Its steps are counted on, so that nothing of the one is taken for the other's.
    /// `isSent`: whom it talks with wants it so.
    mutating func redirect(flowID: String?, actions: [Action]?, isSent: Bool = false, at moment: Moment, into effects: inout [LegEffect]) {
        guard objectionToRedirecting == nil else { return }
        let number = (program?.number ?? 0) + 1
        var next = Program(flowID: flowID, actions: actions)
        next.number = number
        next.after = max(performing?.step ?? 0, program?.after ?? 0)
        // The parent's time part, as the first run has it.
        next.runID = "run_" + record.id.drop { $0 != "_" }.dropFirst().prefix(10) + StableID.text(record.id, salt: "redirect/\(number)", length: 16)
        letGo(into: &effects)
        leaveParent(isSent: isSent, into: &effects)
        program = next
        // Whoever asks of the call is told of the run that it goes on with.
        record.runID = next.runID
        publish("call.redirected", into: &effects)
        // One that rings somebody begins when that one answers.
        guard isInbound || record.answeredAt != nil else { return }
        startRun(into: &effects)
    }

    /// The flow's action ends without anybody waiting for what comes of it, and whom it has called is let go.
    private mutating func letGo(into effects: inout [LegEffect]) {
        stopAsking("interrupted", into: &effects)
        interruptGather(into: &effects)
        endConsultation(into: &effects)
        wait(false, into: &effects)
        transfer = nil
        if let current = performing {
            if let playID = current.playID { effects.append(.stopPlay(playID: playID)) }
            if current.isStarted, current.action.kind.isEcho { effects.append(.setParticipant(muted: nil, echo: false)) }
            effects.append(.leaveRun(runID: current.runID, step: current.step))
        }
        for child in children { effects.append(.tellChild(child, .parentEnded)) }
        (children, bridgedChild, performing, pendingOutcome, heldOutcome) = ([], nil, nil, nil, nil)
        (digits, flowAttempts, flowPolls) = ("", 0, nil)
        for kind in [TimerKind.action, .play, .flowRetry, .detection] { deadlines[kind] = nil }
        if seat.conferenceID != nil, phase == .up { move(roomID: ownRoomID, instance: placement.mixer, conferenceID: nil, into: &effects) }
    }

    /// One that was called by another goes on by itself. For that other it is as if it had hung up, as soon as it sits in a room of its own: two
    /// that let go of one session at once would give its relay orders in no order.
    private mutating func leaveParent(isSent: Bool, into effects: inout [LegEffect]) {
        guard let parent = record.parentCallID else { return }
        record.parentCallID = nil
        (joins, screening) = (nil, nil)
        wait(false, into: &effects)
        departure = Departure(parent: parent, isSent: isSent)
        effects.append(.rename)
        guard seat.conferenceID == nil, seat.roomID != ownRoomID else { return depart(into: &effects) }
        move(roomID: ownRoomID, instance: placement.mixer, conferenceID: nil, into: &effects)
    }

    /// Who has left another's call, until that has heard of it.
    struct Departure: Codable, Sendable, Equatable {
        var parent: String
        /// The parent's phone has sent it.
        var isSent: Bool

        func event(of leg: String) -> LegEvent { isSent ? .partnerSent(leg) : .childEnded(leg, Status(code: 200, cause: 16), .completed) }
    }

    mutating func depart(into effects: inout [LegEffect]) {
        guard let departure else { return }
        self.departure = nil
        effects.append(.tellChild(departure.parent, departure.event(of: record.id)))
    }

    /// Whether a step is of the run that the leg is in; another is told that nobody performs it.
    mutating func isOfItsRun(_ step: RunStep, into effects: inout [LegEffect]) -> Bool {
        guard let runID = program?.runID, step.runID != runID else { return true }
        if step.action != nil || step.waiting != nil { effects.append(.leaveRun(runID: step.runID, step: step.step)) }
        return false
    }

    /// A play of the API's has ended: its flow knows nothing of it.
    mutating func controlledPlayEnded(_ playID: String, _ reason: PlayFinished.Reason, into effects: inout [LegEffect]) -> Bool {
        guard playID.hasPrefix("play_") else { return false }
        publish("call.play_finished", with: ["play_id": .string(playID), "reason": .string(reason.rawValue)], into: &effects)
        return true
    }
}
