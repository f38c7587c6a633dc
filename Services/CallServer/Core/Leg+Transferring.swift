import Contracts
import Deadlines
import Flow

/// Transfers that phones ask for by REFER (RFC 3515, RFC 5589). The call is a room: the first leg of the call rings the new party into it, the
/// one that transfers leaves, and the phone that stays hears of it by its ear only.
extension Leg {
    /// A REFER of this leg's phone.
    struct Referral: Codable, Sendable, Equatable {
        /// Names the subscription: the CSeq of the REFER (RFC 3515 §2.4.6).
        var id: UInt32
        var number: String
        /// The phone wants no NOTIFY (RFC 4488).
        var isSilent = false
        /// What it was told last; a final one ends the subscription.
        var told = 100
        /// The new party is in another call of the phone's.
        var isAttended: Bool?
        /// Its dialog there, as Refer-To names it (RFC 3891).
        var replaces: String?
        /// What the number runs, where it is no phone's.
        var program: Program?
    }

    /// What the first leg of a call does for one of its two parties.
    struct Transfer: Codable, Sendable, Equatable {
        /// The leg that is to leave.
        var by: String
        /// The new party's.
        var child: String
        var number: String
        /// Who transfers, as the new party is told.
        var referrer = ""
        /// The new party talks with who transfers first, while the other is held.
        var consultation: Consultation?
    }

    /// Of whom the call is when its first leg has gone: the one that stays, and the new party.
    struct Bequest: Codable, Sendable, Equatable {
        var heir: String
        var newcomer: String
        var number: String
        /// The new party talks.
        var isThere: Bool
        /// What the first leg counted as, and when its call is to end; nil from an older version.
        var counted: Counted?
        var end: Instant?
    }

    enum Consultation: String, Codable, Sendable { case ringing, talking }

    static let mostTransfers = 100

    /// True while two talk with each other, this leg's phone being one.
    var isBridged: Bool { phase == .up && seat.conferenceID == nil && seat.supervises == nil && (bridgedChild != nil || record.parentCallID != nil) }

    // MARK: The leg that transfers

    mutating func referred(_ wanted: Referral, at moment: Moment, into effects: inout [LegEffect]) {
        guard referral == nil else { return effects.append(.respondToRefer(code: 491)) }
        guard isBridged else { return effects.append(.respondToRefer(code: 603)) }
        referral = wanted
        effects.append(.respondToRefer(code: 202))
        tellOfReferral(100, into: &effects)
        if record.parentCallID != nil {
            effects.append(.tellParent(.transferWanted(by: record.id, number: wanted.number, program: wanted.program, from: referrer)))
        } else {
            transfer(by: record.id, to: wanted.number, wanted.program, from: referrer, at: moment, into: &effects)
        }
    }

    /// Its partner is being brought together with that of another call of its phone's.
    mutating func partnersJoined(by wanted: Referral, into effects: inout [LegEffect]) {
        referral = wanted
        referral?.isAttended = true
        effects.append(.respondToRefer(code: 202))
        tellOfReferral(100, into: &effects)
    }

    /// Who transfers, as the new party's phone is told (RFC 3892).
    var referrer: String { dial.map { DialledNumber($0.number).user } ?? record.from }

    /// The phone that referred hears how far it is; the last it hears is final.
    mutating func tellOfReferral(_ code: Int, into effects: inout [LegEffect]) {
        guard var current = referral else { return }
        current.told = code
        referral = code < 200 ? current : nil
        guard !current.isSilent, phase == .up else { return }
        effects.append(.notify(code: code, id: current.id))
    }

    /// Whoever subscribes, or subscribes no more, hears how it stands (RFC 6665 §4.2.1.2).
    mutating func subscribed(seconds: Int, into effects: inout [LegEffect]) {
        guard let current = referral, !current.isSilent else { return }
        guard seconds == 0 else { return tellOfReferral(current.told, into: &effects) }
        referral?.isSilent = true
        effects.append(.notifyLast(code: current.told, id: current.id))
    }

    /// The new party talks in this leg's stead.
    mutating func replaced(at moment: Moment, into effects: inout [LegEffect]) {
        guard phase == .up || !isInbound else { return }
        tellOfReferral(200, into: &effects)
        end(
            phase == .up ? .completed : .canceled, Status(code: phase == .up ? 200 : 487, cause: phase == .up ? 16 : 26), by: "platform",
            at: moment, into: &effects)
    }

    /// What a predecessor may have said, said again.
    mutating func resumeReferral(into effects: inout [LegEffect]) {
        if isWaitingForTransfer == true, phase == .up { playWaiting(into: &effects) }
        if sip.notice != nil { effects.append(.notifyAgain) }
    }

    /// What the first leg of its call may not have heard of: a transfer that was accepted and has not begun.
    func transferAgain(of first: Leg) -> LegEvent? {
        guard let referral, phase == .up, referral.told == 100, referral.isAttended != true, first.transfer == nil else { return nil }
        return .transferWanted(by: record.id, number: referral.number, program: referral.program, from: referrer)
    }

    // MARK: The first leg of the call

    mutating func transfer(
        by leg: String, to number: String, _ program: Program? = nil, from referrer: String, at moment: Moment, into effects: inout [LegEffect]
    ) {
        let isOurs = leg == record.id || leg == bridgedChild
        if program != nil, !children.contains(leg), leg != record.id {
            // It has gone there, and who sent it has not heard of that from an owner that died.
            effects.append(.tellChild(leg, .referralTold(200)))
            return effects.append(.tellChild(leg, .parentEnded))
        }
        guard phase == .up, isOurs, bridgedChild != nil, transfer == nil, seat.conferenceID == nil, isSeated, transfers ?? 0 < Self.mostTransfers else {
            return tell(leg, ofReferral: 603, into: &effects)
        }
        transfers = (transfers ?? 0) + 1
        if let program { return send(partnerOf: leg, to: program, at: moment, into: &effects) }
        // Never an action's: those count from their step.
        let child = childID(step: -(transfers ?? 0), index: 0)
        transfer = Transfer(by: leg, child: child, number: number, referrer: referrer)
        performing?.dialling?.numbers[child] = number
        children.append(child)
        if let order = transferOrder(child) { effects.append(.createChild(order)) }
        letWait(true, into: &effects)
    }

    /// A flow, or a conference, takes whom `leg` talks with: nobody is to be waited for, and there is no going back.
    private mutating func send(partnerOf leg: String, to program: Program, at moment: Moment, into effects: inout [LegEffect]) {
        if leg == record.id {
            if let again = sendPartner { effects.append(again) }
        } else {
            publish("call.transferred", into: &effects)
            effects.append(.tellChild(leg, .referralTold(200)))
            redirect(flowID: program.flowID, actions: program.actions, at: moment, into: &effects)
        }
    }

    /// What whom it talks with is told of where this leg's phone sends it; nil when it does not, or not any more.
    private var sendPartner: LegEffect? {
        guard !isEnded, record.parentCallID == nil, let referral, let program = referral.program, referral.told == 100, let bridgedChild else { return nil }
        return .tellChild(bridgedChild, .sentOn(program, counted: counted, end: deadlines[.duration]))
    }

    /// The same for a leg that was taken over.
    func sendingAgain(_ leg: (String) -> Leg?) -> Reunion? {
        guard let effect = sendPartner, let partner = bridgedChild, let other = leg(partner), !other.isEnded, other.record.parentCallID == record.id
        else { return nil }
        return .perform(effect)
    }

    /// The leg that this one talks with is to go there, and goes on by itself: it counts as the call that it is all that is left of.
    mutating func sentOn(_ program: Program, counted: Counted?, end: Instant?, at moment: Moment, into effects: inout [LegEffect]) {
        guard record.parentCallID != nil else { return }
        guard objectionToRedirecting == nil else { return effects.append(.tellParent(.referralTold(603))) }
        if let end { deadlines[.duration] = min(end, deadlines[.duration] ?? end) }
        inherit(counted, into: &effects)
        redirect(flowID: program.flowID, actions: program.actions, isSent: true, at: moment, into: &effects)
    }

    /// It has gone there: this leg's phone has nobody to talk with any more, as it wished.
    mutating func partnerSent(_ partner: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard bridgedChild == partner else { return }
        children.removeAll { $0 == partner }
        bridgedChild = nil
        publish("call.transferred", into: &effects)
        replaced(at: moment, into: &effects)
    }

    /// Named after the transfer, so that performing it twice makes the same leg.
    func transferOrder(_ child: String) -> ChildOrder? {
        guard let transfer, transfer.child == child else { return nil }
        // Who consults calls for itself, who transfers for the one that stays.
        let isForPartner = (transfer.by == record.id) == (transfer.consultation == nil)
        let caller = isForPartner ? partnerNumber ?? record.to : isPrivate == true ? "anonymous" : self.referrer
        var order = ChildOrder(id: child, number: transfer.number, callerNumber: caller, callerName: "")
        order.place = ChildOrder.Place(roomID: seat.roomID, instance: seat.instance)
        if transfer.consultation == nil { order.referredBy = transfer.referrer }
        return order
    }

    mutating func tell(_ leg: String, ofReferral code: Int, into effects: inout [LegEffect]) {
        if leg == record.id { tellOfReferral(code, into: &effects) } else { effects.append(.tellChild(leg, .referralTold(code))) }
    }

    /// Who stays hears that it rings.
    mutating func letWait(_ isWaiting: Bool, into effects: inout [LegEffect]) {
        guard let transfer else { return }
        if transfer.by == record.id, let staying = bridgedChild {
            effects.append(.tellChild(staying, .waiting(isWaiting)))
        } else {
            wait(isWaiting, into: &effects)
        }
    }

    mutating func wait(_ isWaiting: Bool, into effects: inout [LegEffect]) {
        // What a predecessor has had played may be written down nowhere: it is stopped all the same.
        guard phase == .up, !isWaiting || isWaitingForTransfer != true else { return }
        isWaitingForTransfer = isWaiting ? true : nil
        if isWaiting { playWaiting(into: &effects) } else { effects.append(.stopPlay(playID: waitingPlayID)) }
    }

    private var waitingPlayID: String { "\(record.id)/transfer" }

    private func playWaiting(into effects: inout [LegEffect]) {
        effects.append(.play(playID: waitingPlayID, [.ringback], loop: true, stopOnDigit: false))
    }

    /// True when the child was the new party.
    mutating func transferRang(_ child: String, into effects: inout [LegEffect]) -> Bool {
        guard let transfer, transfer.child == child else { return false }
        tell(transfer.by, ofReferral: 180, into: &effects)
        return true
    }

    mutating func transferAnswered(_ child: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let transfer, transfer.child == child else { return false }
        guard transfer.consultation == nil else {
            consulted(into: &effects)
            return true
        }
        takePlace(of: transfer.by, child, at: moment, into: &effects)
        return true
    }

    /// True when it concerned a transfer: the new party could not be reached, or who transfers has left early.
    mutating func transferEnded(_ child: String, _ status: Status, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        if let transfer, transfer.child == child {
            letWait(false, into: &effects)
            endConsultation(into: &effects)
            self.transfer = nil
            tell(transfer.by, ofReferral: status.code >= 300 ? status.code : 480, into: &effects)
            performing?.dialling?.numbers[child] = nil
            // Nobody is left to go back to.
            if bridgedChild == nil { partnerLeft(status, at: moment, into: &effects) }
            return true
        }
        if transfer?.by == child, bridgedChild == child {
            bridgedChild = nil
            leaveConsultation(at: moment, into: &effects)
            return true
        }
        if let transfer, bridgedChild == child {
            // Nobody is left to be transferred.
            if transfer.consultation != nil { wait(false, into: &effects) }
            self.transfer = nil
            children.removeAll { $0 == transfer.child }
            effects.append(.tellChild(transfer.child, .parentEnded))
            tell(transfer.by, ofReferral: 480, into: &effects)
        }
        // Without a flow there is nothing but the two who talk.
        guard performing == nil, bridgedChild == child else { return false }
        bridgedChild = nil
        partnerLeft(status, at: moment, into: &effects)
        return true
    }

    private mutating func partnerLeft(_ status: Status, at moment: Moment, into effects: inout [LegEffect]) {
        if performing != nil, pendingOutcome == nil {
            finish(.connected, at: moment, into: &effects)
        } else {
            end(.completed, Status(code: 200, cause: status.cause), by: "callee", at: moment, into: &effects)
        }
    }

    /// `newcomer` talks in the room in the place of `leg`, which may be this one.
    mutating func takePlace(of leg: String, _ newcomer: String, at moment: Moment, into effects: inout [LegEffect]) {
        letWait(false, into: &effects)
        let number = transfer?.child == newcomer ? transfer?.number : nil
        transfer = nil
        take(newcomer, inPlaceOf: leg)
        if let dialling = performing?.dialling { performing?.dialling?.numbers[newcomer] = number ?? dialling.numbers[leg] ?? "" }
        if leg == record.id {
            handOver(with: newcomer, number ?? "", isThere: true, into: &effects)
            replaced(at: moment, into: &effects)
        } else {
            (bridgedChild, partnerNumber) = (newcomer, number)
            effects.append(.tellChild(leg, .replaced))
            publish("call.transferred", into: &effects)
        }
    }

    /// What the one was to the action that is performed, the other is now.
    mutating func take(_ newcomer: String, inPlaceOf leg: String) {
        if !children.contains(newcomer) { children.append(newcomer) }
        guard let own = performing?.children, own.contains(leg), !own.contains(newcomer) else { return }
        performing?.children = own + [newcomer]
    }

    /// The leg that began the call leaves it: who stays goes on with what is left.
    private mutating func handOver(with newcomer: String, _ number: String, isThere: Bool, into effects: inout [LegEffect]) {
        guard let heir = bridgedChild else { return }
        publish("call.transferred", into: &effects)
        children.removeAll { $0 == heir || $0 == newcomer }
        bridgedChild = nil
        let bequest = Bequest(
            heir: heir, newcomer: newcomer, number: number, isThere: isThere, counted: counted, end: deadlines[.duration])
        self.bequest = bequest
        effects.append(.tellChild(heir, .inherited(bequest)))
        effects.append(.tellChild(newcomer, .adopted(by: heir)))
    }

    /// Who transfers hangs up before the new party has answered.
    mutating func leaveTransfer(into effects: inout [LegEffect]) {
        guard let transfer, transfer.by == record.id else { return }
        endConsultation(into: &effects)
        self.transfer = nil
        handOver(with: transfer.child, transfer.number, isThere: transfer.consultation == .talking, into: &effects)
    }

    // MARK: The leg that stays, or comes

    /// This leg is the first of the call from now on: what the call counts as, and when it is to end, goes on with it.
    mutating func inherited(_ bequest: Bequest, into effects: inout [LegEffect]) {
        let (former, child, number) = (record.parentCallID ?? "", bequest.newcomer, bequest.number)
        record.parentCallID = nil
        children.append(child)
        partnerNumber = number.isEmpty ? nil : number
        if bequest.isThere { bridgedChild = child } else { transfer = Transfer(by: former, child: child, number: number) }
        if bequest.isThere { wait(false, into: &effects) }
        if let end = bequest.end { deadlines[.duration] = min(end, deadlines[.duration] ?? end) }
        inherit(bequest.counted, into: &effects)
        effects.append(.rename)
    }

    mutating func adopted(by parent: String, into effects: inout [LegEffect]) {
        record.parentCallID = parent
        effects.append(.rename)
    }
}
