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
    mutating func redirect(flowID: String?, actions: [Action]?, at moment: Moment, into effects: inout [LegEffect]) {
        guard objectionToRedirecting == nil else { return }
        let number = (program?.number ?? 0) + 1
        var next = Program(flowID: flowID, actions: actions)
        next.number = number
        next.after = max(performing?.step ?? 0, program?.after ?? 0)
        // The parent's time part, as the first run has it.
        next.runID = "run_" + record.id.drop { $0 != "_" }.dropFirst().prefix(10) + StableID.text(record.id, salt: "redirect/\(number)", length: 16)
        letGo(into: &effects)
        leaveParent(into: &effects)
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

    /// One that was called by another goes on by itself: for that other it is as if it had hung up.
    private mutating func leaveParent(into effects: inout [LegEffect]) {
        guard let parent = record.parentCallID else { return }
        record.parentCallID = nil
        (joins, screening) = (nil, nil)
        wait(false, into: &effects)
        effects.append(.tellChild(parent, .childEnded(record.id, Status(code: 200, cause: 16), .completed)))
        effects.append(.rename)
        if seat.conferenceID == nil, seat.roomID != ownRoomID { move(roomID: ownRoomID, instance: placement.mixer, conferenceID: nil, into: &effects) }
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
