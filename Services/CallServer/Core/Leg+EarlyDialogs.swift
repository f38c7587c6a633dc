import Contracts
import Deadlines
import SIP

/// A provisional response to an INVITE of ours, with the dialog it makes.
struct Progress: Sendable {
    var code: Int
    /// Nil when it makes none (RFC 3261 §12.1).
    var dialog: Dialog?
    /// Of one that wants a PRACK.
    var responseSequence: UInt32?
    var description: String?
}

/// The early dialogs of an outbound leg: PRACKs in the order of their responses (RFC 3262 §4), and early media from whichever spoke last.
extension Leg {
    mutating func progressed(_ branch: Int, _ progress: Progress, at moment: Moment, into effects: inout [LegEffect]) {
        guard let dial, dial.winner == nil, dial.targets.indices.contains(branch) else { return }
        guard let index = earlyDialog(branch, progress.dialog) else { return rang(branch, at: moment, into: &effects) }
        let tag = sip.early?[index].dialog.remoteTag ?? ""
        if let sequence = progress.responseSequence {
            switch sip.early?[index].responseSequence {
            case sequence?:
                // It has not heard of our PRACK.
                return effects.append(.prackAgain(branch: branch, tag: tag))
            case let last? where sequence != (last < UInt32.max ? last + 1 : 1):
                // §4: one before it is missing, or it is an old one.
                return
            default: break
            }
            sip.early?[index].responseSequence = sequence
            effects.append(.prack(branch: branch, tag: tag, sequence: sequence))
        }
        if let description = progress.description, sip.early?[index].isAnswered != true {
            sip.early?[index].answer = description
            sip.early?[index].isAnswered = progress.responseSequence != nil
            hearEarly(branch, tag, description, into: &effects)
        }
        rang(branch, at: moment, into: &effects)
    }

    /// Its place in the list; nil when it makes no dialog, or one too many.
    private mutating func earlyDialog(_ branch: Int, _ dialog: Dialog?) -> Int? {
        guard let dialog else { return nil }
        var list = sip.early ?? []
        if let index = list.firstIndex(where: { $0.branch == branch && $0.dialog.remoteTag == dialog.remoteTag }) { return index }
        guard list.count < SIPState.mostEarlyDialogs else { return nil }
        list.append(SIPState.Early(branch: branch, dialog: dialog))
        sip.early = list
        return list.count - 1
    }

    private mutating func hearEarly(_ branch: Int, _ tag: String, _ description: String, into effects: inout [LegEffect]) {
        guard media.early != EarlyMedia(branch: branch, tag: tag, description: description) else { return }
        media.early = EarlyMedia(branch: branch, tag: tag, description: description)
        effects.append(.hearEarly(remote: description, profile: dial?.targets[branch].profile))
    }

    /// The relay lets the phone be heard: who calls may hear it.
    mutating func heardEarly(into effects: inout [LegEffect]) {
        guard !isInbound, phase == .ringing, media.early != nil, record.parentCallID != nil, screening == nil else { return }
        effects.append(.tellParent(.childProgressed(record.id)))
    }

    /// The PRACKs that a predecessor may have sent, and what is heard already.
    mutating func resumeEarly(into effects: inout [LegEffect]) {
        for early in sip.early ?? [] where early.prack != nil { effects.append(.prackAgain(branch: early.branch, tag: early.dialog.remoteTag)) }
        if let early = media.early { effects.append(.hearEarly(remote: early.description, profile: dial?.targets[early.branch].profile)) }
        resumeReinvite(into: &effects)
    }

    /// The answer that counts is that of the dialog the 200 confirms: one that was given in it reliably is not given again
    /// (RFC 3261 §13.2.1, RFC 6337 §3.1.1).
    func confirmedAnswer(_ branch: Int, _ answer: String?) -> String? {
        let early = sip.early?.first { $0.branch == branch && $0.dialog.remoteTag == sip.dialog?.remoteTag }
        return early?.isAnswered == true ? early?.answer ?? answer : answer ?? early?.answer
    }
}

/// What is heard of a phone before it answers.
struct EarlyMedia: Codable, Sendable, Equatable {
    var branch: Int
    var tag: String
    var description: String
}
