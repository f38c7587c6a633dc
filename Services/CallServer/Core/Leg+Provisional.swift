import Contracts
import Deadlines
import Flow
import SIP

/// Provisional responses to the phone's INVITE: acknowledged ones (RFC 3262) where it must have them so, or may and they describe media.
extension Leg {
    /// T1; at 64*T1, which is as long again after the seventh time, nobody will acknowledge it any more (§3).
    private static let t1 = Interval.milliseconds(500)
    private static let mostSends = 7

    /// Rings, or tells of progress; with our description the phone can be heard and hears before it is answered.
    mutating func ring(_ code: Int, body: String? = nil, at moment: Moment, into effects: inout [LegEffect]) {
        guard isInbound, phase == .preparing || phase == .ringing else { return }
        guard var provisionals = sip.provisionals, provisionals.wish == .required || body != nil else {
            // An offer must be acknowledged (RFC 3264 §4, RFC 3262 §5).
            return effects.append(.respond(code: code, body: media.awaitsAnswerInAck ? nil : body))
        }
        let response = SIPState.Response(code: code, body: provisionals.isDescribed ? nil : body ?? (needsOfferInFirst ? media.readyDescription : nil))
        guard provisionals.pending == nil else {
            provisionals.queued = response
            sip.provisionals = provisionals
            return
        }
        provisionals.pending = SIPState.Pending(sequence: provisionals.next, response: response)
        provisionals.next = provisionals.next < UInt32(Int32.max) ? provisionals.next + 1 : 1
        sip.provisionals = provisionals
        deadlines[.provisional] = moment.now + Self.t1
        sendProvisional(into: &effects)
    }

    /// §5: without an offer in the INVITE the first reliable response makes it, where it can.
    private var needsOfferInFirst: Bool { media.awaitsAnswerInAck }

    func sendProvisional(into effects: inout [LegEffect]) {
        guard let pending = sip.provisionals?.pending else { return }
        effects.append(.respondReliably(code: pending.response.code, body: pending.response.body, sequence: pending.sequence))
    }

    /// No PRACK has come: once more, twice as late each time; then the call is refused.
    mutating func provisionalIsDue(at moment: Moment, into effects: inout [LegEffect]) {
        guard var pending = sip.provisionals?.pending, phase != .up else { return }
        guard pending.sends < Self.mostSends else { return refuse(Status(code: 504, cause: 102), at: moment, into: &effects) }
        pending.sends += 1
        sip.provisionals?.pending = pending
        deadlines[.provisional] = moment.now + Self.t1 * (pending.sends == Self.mostSends ? 1 : 1 << (pending.sends - 1))
        sendProvisional(into: &effects)
    }

    /// A PRACK; its body answers our offer, or is an offer once ours, or theirs, has been answered (§5).
    mutating func acknowledged(
        _ acknowledgement: ProvisionalAcknowledgement, _ body: String?, at moment: Moment, into effects: inout [LegEffect]
    ) {
        guard let provisionals = sip.provisionals, let pending = provisionals.pending, pending.sequence == acknowledgement.responseSequence,
            acknowledgement.cseq == CSeq(provisionals.invite, .invite)
        else { return effects.append(.respondToReinvite(code: 481, body: nil)) }
        deadlines[.provisional] = nil
        sip.provisionals?.pending = nil
        if pending.response.body != nil { sip.provisionals?.isDescribed = true }
        switch body {
        case nil:
            effects.append(.respondToReinvite(code: 200, body: nil))
        case let answer? where pending.response.body != nil && media.awaitsAnswerInAck:
            media.awaitsAnswerInAck = false
            effects.append(.respondToReinvite(code: 200, body: nil))
            effects.append(.updateMedia(.answer, remote: answer, profile: nil))
        case let offer?:
            updated(offer, in: nil, into: &effects)
        }
        if let queued = sip.provisionals?.queued {
            sip.provisionals?.queued = nil
            ring(queued.code, body: queued.body, at: moment, into: &effects)
        }
        answerIfPossible(at: moment, into: &effects)
        proceed(at: moment, into: &effects)
    }

    /// §3: no 2xx while a description waits to be acknowledged.
    var mayAnswer: Bool { sip.provisionals?.pending?.response.body == nil }

    /// What the 200 describes; nil when the exchange is over already.
    var finalDescription: String? { sip.provisionals?.isDescribed == true ? nil : media.description }

    /// What the phone heard last it hears again from a successor.
    func resumeProvisional(into effects: inout [LegEffect]) {
        if sip.provisionals?.pending != nil { return sendProvisional(into: &effects) }
        if sip.provisionals?.wish != .required { effects.append(.respond(code: 180, body: nil)) }
    }

    // MARK: Early media

    /// Lets the phone hear what is said before it is answered (183 with our description); once, and when its seat is taken.
    mutating func progress(at moment: Moment, into effects: inout [LegEffect]) {
        guard isInbound, phase == .preparing || phase == .ringing, isProgressing != true else { return }
        guard isSeated, media.stage == .ready else {
            isProgressing = false
            return
        }
        isProgressing = true
        if phase == .preparing {
            (phase, record.status, record.ringingAt) = (.ringing, .ringing, record.ringingAt ?? moment.time)
            publish("call.ringing", into: &effects)
        }
        ring(183, body: media.description, at: moment, into: &effects)
    }

    /// It was wanted before there was a seat.
    mutating func progressIfWanted(at moment: Moment, into effects: inout [LegEffect]) {
        if isProgressing == false { progress(at: moment, into: &effects) }
    }
}

extension Action.Kind {
    /// Whether who calls hears what who is called says before it answers.
    var passesEarlyMedia: Bool {
        switch self {
        case .connect: true
        case .dial(let option): option.ringback == .earlyMedia
        default: false
        }
    }
}

extension Leg.Media {
    var readyDescription: String? { stage == .ready && !description.isEmpty ? description : nil }
}
