import Bytes
import Contracts
import SIP

/// INVITEs of phones that take a place in a call that there is (Replaces, RFC 3891), or one beside those who talk in it (Join, RFC 3911).
/// Every call is a room: neither sends SIP to who stays.
extension CallEngine {
    struct PlaceRefusal: Error { let code: Int }

    /// Where an INVITE leads that names a dialog; of others nothing.
    struct TakenPlace {
        /// The leg that is to leave; nil: nobody is.
        var replaced: String?
        var first: String?
        var seat: Leg.Seat?
        var placement: Leg.Placement?
        /// That is where who is to be joined sits.
        var conference: String?
        /// It joins nothing: where it has dialled a conference, that means nothing (RFC 3911 §4).
        var isNowhere = false
        var relay: String? { placement?.relay }

        func apply(to newcomer: inout Leg) {
            newcomer.joinsConference = conference
            newcomer.joinsNothing = isNowhere ? true : nil
            guard let first, let seat, let placement else { return }
            if let replaced { newcomer.takesPlaceOf = replaced } else { newcomer.joins = true }
            newcomer.wantsAnswer = true
            newcomer.record.parentCallID = first
            newcomer.placement.mixer = placement.mixer
            (newcomer.seat.roomID, newcomer.seat.instance) = (seat.roomID, seat.instance)
        }
    }

    /// The dialog that an INVITE names, when it names one.
    func named(by invite: Message) -> DialogReference? { (invite.value(.replaces) ?? invite.value(named: Self.join)).flatMap { DialogReference($0) } }

    func namesDialog(_ message: Message) -> Bool { message.contains(.replaces) || message.value(named: Self.join) != nil }

    private static let join = "Join"

    func place(wantedBy invite: Message, customer: String) throws(PlaceRefusal) -> TakenPlace {
        let joins = invite.fields.filter { ASCII.equalsIgnoringCase(invite.name(of: $0), Self.join) }.count
        guard joins > 0 || invite.contains(.replaces) else { return TakenPlace() }
        // RFC 3911 §4, RFC 3891 §3: one of the two, and one of it.
        guard joins + invite.count(of: .replaces) == 1, let named = named(by: invite) else { throw PlaceRefusal(code: 400) }
        guard let leg = self.leg(of: named, customer: customer), let first = legs[leg.record.parentCallID ?? leg.record.id]?.leg,
            isTheirs(leg, invite)
        else {
            guard joins > 0 else { throw PlaceRefusal(code: 481) }
            if isOver(named, customer: customer) { throw PlaceRefusal(code: 603) }
            return TakenPlace(isNowhere: true)
        }
        // Who waits for an answer need not sit yet: its room is where it will.
        let hasRoom = first.isSeated || first.phase != .up
        guard joins > 0 else {
            guard hasRoom else { throw PlaceRefusal(code: 481) }
            return try placeOf(leg, first, named)
        }
        // It is there, and cannot be joined where it is on its way from.
        guard hasRoom else { throw PlaceRefusal(code: 488) }
        return try placeBeside(leg, first)
    }

    /// Who may name that dialog: the customer's phones every one of its calls; a trunk those that came over it, and no phone's.
    private func isTheirs(_ leg: Leg, _ invite: Message) -> Bool {
        guard let trunk = invite.value(named: PrivateHeader.trunk) else { return true }
        return leg.record.trunk == trunk
    }

    /// 481 for what matches nothing here, 486 for early-only when it is too late (RFC 3891 §3).
    private func placeOf(_ leg: Leg, _ first: Leg, _ named: DialogReference) throws(PlaceRefusal) -> TakenPlace {
        guard first.seat.conferenceID == nil else { throw PlaceRefusal(code: 481) }
        if named.isEarlyOnly, leg.phase == .up { throw PlaceRefusal(code: 486) }
        // One that has not been answered by us is not there to be taken (§3).
        guard leg.phase == .up || !leg.isInbound, first.record.id != leg.record.id || first.bridgedChild != nil else {
            throw PlaceRefusal(code: 481)
        }
        return TakenPlace(replaced: leg.record.id, first: first.record.id, seat: first.seat, placement: first.placement)
    }

    /// In the room where the leg of that dialog is, or will be: one that still rings is joined as well (RFC 3911 §4). 488: it cannot be had there,
    /// as the leg is asked something first, or supervises.
    private func placeBeside(_ leg: Leg, _ first: Leg) throws(PlaceRefusal) -> TakenPlace {
        guard leg.phase != .up || leg.isSeated, leg.seat.supervises == nil, leg.screening == nil || leg.screening?.stage == .done else {
            throw PlaceRefusal(code: 488)
        }
        if let conference = leg.seat.conferenceID { return TakenPlace(conference: conference) }
        return TakenPlace(first: first.record.id, seat: leg.seat, placement: leg.placement)
    }
}
