import Contracts
import Deadlines
import Flow

/// Attended transfers over the API. What a phone does with two lines (RFC 5589 §7) happens in one room: one of the two who talk is held, the
/// other talks with a third there; then it leaves the two to each other, or the third is let go.
extension Leg {
    /// Of the first leg: why one of its call's two cannot consult somebody; nil when it can.
    func objectionToConsulting(_ leg: String) -> String? {
        guard phase == .up, isSeated, seat.conferenceID == nil, seat.supervises == nil, bridgedChild != nil, leg == record.id || leg == bridgedChild
        else { return "the call does not talk with another" }
        if transfer != nil { return "the call is being transferred" }
        return transfers ?? 0 < Self.mostTransfers ? nil : "the call has been transferred too often"
    }

    mutating func consult(by leg: String, _ number: String, into effects: inout [LegEffect]) {
        guard objectionToConsulting(leg) == nil else { return }
        transfers = (transfers ?? 0) + 1
        let child = childID(step: -(transfers ?? 0), index: 0)
        var transfer = Transfer(by: leg, child: child, number: number)
        transfer.consultation = .ringing
        self.transfer = transfer
        children.append(child)
        if let order = transferOrder(child) { effects.append(.createChild(order)) }
        letHold(true, into: &effects)
        letRing(true, into: &effects)
    }

    /// The third has answered, and talks with who consults it.
    mutating func consulted(into effects: inout [LegEffect]) {
        guard let current = transfer, current.consultation == .ringing else { return }
        transfer?.consultation = .talking
        letRing(false, into: &effects)
        publish("call.consulted", with: Self.described(current), into: &effects)
    }

    /// Who consults leaves the two to each other, or goes back to whom it was talking with.
    mutating func consultationOver(completes: Bool, at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = transfer, let consultation = current.consultation, !completes || consultation == .talking else { return }
        guard !completes else {
            letHold(false, into: &effects)
            transfer?.consultation = nil
            return takePlace(of: current.by, current.child, at: moment, into: &effects)
        }
        endConsultation(into: &effects)
        transfer = nil
        children.removeAll { $0 == current.child }
        effects.append(.tellChild(current.child, .parentEnded))
    }

    /// Nobody is consulted any more: the two hear each other.
    mutating func endConsultation(into effects: inout [LegEffect]) {
        guard let current = transfer, let consultation = current.consultation else { return }
        if consultation == .ringing { letRing(false, into: &effects) }
        letHold(false, into: &effects)
        publish("call.consultation_ended", with: Self.described(current), into: &effects)
    }

    /// Who consults has hung up: that completes the transfer, or leaves it to the third's answer.
    mutating func leaveConsultation(at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = transfer, let consultation = current.consultation else { return }
        letHold(false, into: &effects)
        transfer?.consultation = nil
        if consultation == .talking { takePlace(of: current.by, current.child, at: moment, into: &effects) } else { wait(true, into: &effects) }
    }

    private mutating func letHold(_ isHeld: Bool, into effects: inout [LegEffect]) {
        guard let transfer else { return }
        guard transfer.by == record.id else { return hold(isHeld, into: &effects) }
        if let bridgedChild { effects.append(.tellChild(bridgedChild, .holdWanted(isHeld))) }
    }

    /// Who consults hears that it rings.
    private mutating func letRing(_ isRinging: Bool, into effects: inout [LegEffect]) {
        guard let transfer else { return }
        if transfer.by == record.id { wait(isRinging, into: &effects) } else { effects.append(.tellChild(transfer.by, .waiting(isRinging))) }
    }

    private static func described(_ transfer: Transfer) -> [String: JSONValue] {
        ["consultation": ["by_call_id": .string(transfer.by), "call_id": .string(transfer.child), "to": .string(transfer.number)]]
    }
}
