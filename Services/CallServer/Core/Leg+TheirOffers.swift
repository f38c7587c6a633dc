import Contracts
import Deadlines
import SIP

/// Offers that the phone makes within its dialog, by re-INVITE, UPDATE (RFC 3311) or PRACK (RFC 3262), and what happens when one meets
/// another.
extension Leg {
    /// An offer of ours is with the phone, or is about to be.
    var isOffering: Bool {
        moves?.move?.stage == .offering || media.awaitsAnswerInAck || sip.refresh.map { $0.stage != .updating } == true
    }

    /// What an offer of the phone's is refused with; nil: it may be answered. RFC 3261 §14.2 and RFC 3311 §5.2: 491 when it meets ours,
    /// 500 with Retry-After when one of its own is still to be answered.
    private var collision: Int? {
        if media.isRenegotiating { return 500 }
        if isOffering { return 491 }
        return nil
    }

    mutating func reinvited(_ offer: String?, into effects: inout [LegEffect]) {
        guard phase == .up, collision == nil else {
            return effects.append(.respondToReinvite(code: phase == .up ? collision ?? 491 : 491, body: nil))
        }
        media.isRenegotiating = true
        media.awaitsAnswerInAck = offer == nil
        effects.append(.updateMedia(offer == nil ? .makeOffer : .offer, remote: offer ?? "", profile: nil))
    }

    /// The phone has taken its re-INVITE back; what the relay says to the offer is nobody's any more. One that has been answered has its answer on the
    /// way, and keeps it (RFC 3261 §9.2).
    mutating func reinviteCanceled(into effects: inout [LegEffect]) {
        guard media.isRenegotiating else { return }
        media.isRenegotiating = false
        media.awaitsAnswerInAck = false
        effects.append(.respondToReinvite(code: 487, body: nil))
    }

    /// The phone has acknowledged our 200 without an answer to the offer it has made (RFC 3261 §13.2.1), and acknowledges it once. A call in which nothing was ever
    /// agreed on is none; else the session stays as it was, and the next offer may come.
    mutating func unansweredInAck(at moment: Moment, into effects: inout [LegEffect]) {
        guard media.awaitsAnswerInAck else { return }
        media.awaitsAnswerInAck = false
        guard !media.isAgreed else { return }
        record.hangupReason = "offer_unanswered"
        end(.failed, Status(code: 488, cause: 88), by: "platform", at: moment, into: &effects)
    }

    /// An UPDATE with an offer. In an early dialog it may come once the offer of the INVITE has had its answer (RFC 3311 §5.1).
    /// `tag`: of the early dialog that it came in, of an outbound leg.
    mutating func updated(_ offer: String, in tag: String?, into effects: inout [LegEffect]) {
        if let collision { return effects.append(.respondToReinvite(code: collision, body: nil)) }
        guard isExchangeOver(in: tag) else {
            // Inbound: theirs is still unanswered. Outbound: ours is.
            return effects.append(.respondToReinvite(code: isInbound ? 500 : 491, body: nil))
        }
        media.isRenegotiating = true
        sip.updating = tag
        effects.append(.updateMedia(.offer, remote: offer, profile: nil))
    }

    /// The relay has taken the offer of an early dialog: that is what this dialog has agreed on.
    mutating func earlyOfferTaken() {
        guard let tag = sip.updating else { return }
        sip.updating = nil
        guard let index = sip.early?.firstIndex(where: { $0.dialog.remoteTag == tag }) else { return }
        sip.early?[index].isUpdated = true
    }

    /// The exchange that the INVITE began is over.
    private func isExchangeOver(in tag: String?) -> Bool {
        if phase == .up { return true }
        return isInbound ? sip.provisionals?.isDescribed == true : sip.early?.contains { $0.dialog.remoteTag == tag && $0.isAnswered } == true
    }
}
