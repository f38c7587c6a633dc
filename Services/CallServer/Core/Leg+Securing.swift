import Contracts
import SIP

/// Phones that take no plain RTP: what they refuse with 488 (RFC 3261 §21.4.26) is offered once more, as SRTP with keys in the description (RFC 4568).
/// Plain comes first: a phone that takes both takes that, and one that knows no SAVP would refuse the other.
extension Leg {
    /// True when the phone of `branch` is to be asked again.
    mutating func offersSecurely(_ branch: Int, code: Int, into effects: inout [LegEffect]) -> Bool {
        guard code == 488 || code == 606, let dial, dial.winner == nil, dial.targets.indices.contains(branch), phase == .ringing else { return false }
        let target = dial.targets[branch]
        guard !target.isBrowser, target.takesSRTP != true, !target.wasCanceled, media.refusesSRTP != true, sip.branches[branch] != nil else { return false }
        // One offer for all of them: another would have other keys.
        let isAsked = awaitsSecureOffer
        self.dial?.targets[branch].takesSRTP = true
        self.dial?.targets[branch].isOver = true
        self.dial?.targets[branch].cause = nil
        if media.secureOffer != nil { inviteSecurely(branch, into: &effects) } else if !isAsked { effects.append(.offerMedia(.sdes, nil)) }
        return true
    }

    /// Whether a phone waits for that offer.
    var awaitsSecureOffer: Bool { dial?.targets.indices.contains(where: isWaitingForSecureOffer) == true }

    private func isWaitingForSecureOffer(_ branch: Int) -> Bool {
        guard let dial, dial.winner == nil, dial.targets.indices.contains(branch), dial.refusals[branch] == nil else { return false }
        let target = dial.targets[branch]
        return target.takesSRTP == true && target.isOver == true && !target.wasCanceled
    }

    /// The relay has made the offer: whoever waits for it is invited again.
    mutating func securelyOffered(_ description: String, into effects: inout [LegEffect]) {
        guard media.secureOffer == nil else { return }
        media.secureOffer = description
        guard phase == .ringing else { return }
        for branch in (dial?.targets ?? []).indices where isWaitingForSecureOffer(branch) { inviteSecurely(branch, into: &effects) }
    }

    /// The relay makes none: those who wait for it are refused as they were. False when nobody does.
    mutating func secureOfferFailed(at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard media.secureOffer == nil, awaitsSecureOffer else { return false }
        media.refusesSRTP = true
        for branch in (dial?.targets ?? []).indices where isWaitingForSecureOffer(branch) { refused(branch, code: 488, at: moment, into: &effects) }
        return true
    }

    private mutating func inviteSecurely(_ branch: Int, into effects: inout [LegEffect]) {
        guard let dial, let sequence = sip.branches[branch].map({ $0.sequence ?? 1 }) else { return }
        // The same call to the phone, asked once more (RFC 3261 §8.1.3.5).
        sip.branches[branch]?.sequence = sequence + 1
        effects.append(.inviteLonger(branch: branch, body: media.offer(to: dial.targets[branch])))
    }
}
