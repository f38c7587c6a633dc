import Contracts
import Deadlines
import Flow

/// An action beside which other branches of the flow go on: one of them may put an end to it, which FlowManager is asked for.
extension Leg {
    /// Asks again in a while whether the action is still wanted.
    mutating func watch(_ milliseconds: Int?, at moment: Moment) {
        performing?.watch = milliseconds
        if let milliseconds { deadlines[.flowRetry] = moment.now + .milliseconds(milliseconds) }
    }

    /// What FlowManager said of it; an answer that came after the action's own end says nothing new.
    mutating func watched(_ step: RunStep, at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, current.runID == step.runID, current.watch != nil, pendingOutcome == nil else { return }
        // What has led here was lost in a crash of PostgreSQL, and is told again.
        if step.step < current.step { return watch(current.watch, at: moment) }
        if step.step == current.step, step.action != nil { return watch(step.watch, at: moment) }
        if step.step == current.step, step.waiting == nil, step.finished == nil { return }
        interrupt(at: moment, into: &effects)
        // Whose end is not asked for is told all the same, should the next step have to be asked for again.
        pendingOutcome = .canceled
        accept(step, at: moment, into: &effects)
    }

    /// It is asked again, as often as the action lasts: the action's own end finds out whether FlowManager is gone for good.
    mutating func watchFailed(at moment: Moment) {
        guard performing?.watch != nil, pendingOutcome == nil else { return }
        deadlines[.flowRetry] = moment.now + .seconds(1)
    }

    /// Ends what is performed without an outcome of its own. Keys that nobody has used stay for the next.
    private mutating func interrupt(at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, current.isStarted else { return }
        (deadlines[.action], deadlines[.play]) = (nil, nil)
        if let playID = current.playID { effects.append(.stopPlay(playID: playID)) }
        switch current.action.kind {
        case .echo, .streamEcho: effects.append(.setParticipant(muted: nil, echo: false))
        case .gather: stopGathering(into: &effects)
        case .hold, .meet: leavePeer(into: &effects)
        case .record: stopTaking(into: &effects)
        case .amd: stopDetecting(into: &effects)
        case .connect, .dial:
            for child in current.children ?? [] where children.contains(child) { effects.append(.tellChild(child, .parentEnded)) }
            bridgedChild = nil
            digits = ""
        default: break
        }
        if seat.conferenceID != nil || isElsewhere, phase == .up {
            move(roomID: ownRoomID, instance: placement.mixer, conferenceID: nil, into: &effects)
        }
        performing?.playID = nil
    }
}
