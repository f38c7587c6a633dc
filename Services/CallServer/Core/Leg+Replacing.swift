import Contracts
import Deadlines
import Flow

/// Places in a call that somebody takes (RFC 3891), and those who leave for a place in another call (RFC 5589 §7).
extension Leg {
    /// A leg that talks already is in the room: it takes the place of another, or answers for a child that rings.
    mutating func placeTaken(of leg: String, by newcomer: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard leg == record.id || children.contains(leg) else { return effects.append(.tellChild(newcomer, .parentEnded)) }
        if leg == record.id || leg == bridgedChild {
            giveUpTransfer(for: newcomer, into: &effects)
            return takePlace(of: leg, newcomer, at: moment, into: &effects)
        }
        if leg == transfer?.child { return answerTransfer(by: newcomer, at: moment, into: &effects) }
        take(newcomer, inPlaceOf: leg)
        if let number = performing?.dialling?.numbers[leg] { performing?.dialling?.numbers[newcomer] = number }
        childAnswered(newcomer, at: moment, into: &effects)
    }

    /// Somebody else comes to talk with one of the two: whoever was to be rung, or asked, for them is not wanted any more, and nobody waits for it.
    /// Until it has ended it is one of the children: a successor finds it there, and lets it go (`reunion`).
    private mutating func giveUpTransfer(for newcomer: String, into effects: inout [LegEffect]) {
        guard let given = transfer, given.child != newcomer else { return }
        letWait(false, into: &effects)
        endConsultation(into: &effects)
        transfer = nil
        performing?.dialling?.numbers[given.child] = nil
        effects.append(.tellChild(given.child, .parentEnded))
        tell(given.by, ofReferral: 480, into: &effects)
    }

    /// Somebody else has taken the call of the new party of a transfer (RFC 3891): that is the new party.
    private mutating func answerTransfer(by newcomer: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard let former = transfer?.child else { return }
        transfer?.child = newcomer
        if !children.contains(newcomer) { children.append(newcomer) }
        if let number = performing?.dialling?.numbers.removeValue(forKey: former) { performing?.dialling?.numbers[newcomer] = number }
        effects.append(.tellChild(former, .replaced))
        _ = transferAnswered(newcomer, at: moment, into: &effects)
    }

    // MARK: To another call

    /// One of the two of this call goes to talk in another: this leg, or its partner. The flow of this one, if any, has nobody left.
    mutating func partnerGoesElsewhere(_ partner: String, at moment: Moment, into effects: inout [LegEffect]) {
        children.removeAll { $0 == partner }
        if bridgedChild == partner { bridgedChild = nil }
        replaced(at: moment, into: &effects)
    }

    /// This leg was the first of its call and becomes a part of another, whose first leg that is.
    mutating func goesElsewhere(to first: String, without partner: String, at moment: Moment, into effects: inout [LegEffect]) {
        children.removeAll { $0 == partner }
        if bridgedChild == partner { bridgedChild = nil }
        effects.append(.tellChild(partner, .replaced))
        if let performing {
            if let playID = performing.playID { effects.append(.stopPlay(playID: playID)) }
            for timer in [TimerKind.action, .play, .flowRetry] { deadlines[timer] = nil }
            close(performing.runID, performing.step, .callEnded, into: &effects)
        }
        // Its flow is over: nobody begins it again.
        (performing, pendingOutcome, program) = (nil, nil, nil)
        countAsPart(into: &effects)
        adopted(by: first, into: &effects)
    }
}
