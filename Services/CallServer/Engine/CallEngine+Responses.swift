import Addresses
import Bytes
import Contracts
import SIP
import ServiceKit

/// What comes back over SIP for requests of ours, and what does not.
extension CallEngine {
    func receiveResponse(_ message: Message, _ transaction: ClientTransactionID) {
        guard let status = message.status, case .invite(let id, let branch)? = purposes[transaction] else {
            guard let status = message.status, status >= 200 else { return }
            if case .move(let id, let session, let request)? = purposes[transaction] {
                purposes[transaction] = nil
                return moveAnswered(id, session, request, message, status)
            }
            if case .refresh(let id, let request)? = purposes[transaction] {
                purposes[transaction] = nil
                return refreshAnswered(id, request, message, status)
            }
            switch purposes.removeValue(forKey: transaction) {
            case .abandoned(let request)? where status < 300:
                hangUp(request, acceptedBy: message)
            case .notify(let id, let notice)?:
                noticeTaken(id, notice)
                if status >= 300 { handle(id, .noticeRefused(notice.referral)) }
            case .referral(let id)?: handle(id, .referAnswered(code: status))
            case .goodbye(let goodbye?)? where status == 430:
                goodbyeFailed(goodbye.request, goodbye.rerouting)
            default:
                break
            }
            return
        }
        switch status {
        case 100:
            break
        case 101..<200:
            if (180..<190).contains(status) { noteRinging(id) }
            receiveProvisional(message, status, id, branch)
        case 200..<300:
            purposes[transaction] = nil
            legs[id]?.successes[branch] = message
            if let request = legs[id]?.requests[branch], legs[id]?.leg.dial?.winner == nil, legs[id]?.leg.isEnded == false {
                guard let dialog = confirmedDialog(id, branch, request, message) else { return refuse(message, to: request, id, branch) }
                legs[id]?.leg.sip.dialog = dialog
                legs[id]?.leg.sip.timer = timer(answeredBy: message, id)
                legs[id]?.leg.sip.takesUpdate = message.allowed.contains(.update)
                legs[id]?.leg.record.sipCallID = message.callID
                if message.asksForPrivacy { legs[id]?.leg.isPrivate = true }
            }
            handle(id, .accepted(branch: branch, answer: sessionDescription(of: message)))
        default:
            purposes[transaction] = nil
            branchIsOver(id, branch)
            if status == 430, inviteFailed(id, branch: branch) { return }
            if status == 422 { return handle(id, .refusedAsShort(branch: branch, minimum: message.minSE)) }
            if let cause = message.releaseCause, legs[id]?.leg.dial?.targets.indices.contains(branch) == true {
                legs[id]?.leg.dial?.targets[branch].cause = cause
            }
            if status < 400, let leg = legs[id]?.leg {
                // Other proxies and other services than calls are nobody's here.
                let numbers = status <= 302 ? redirections(in: message, of: leg) : []
                return handle(id, .targetMoved(branch: branch, code: status, to: numbers))
            }
            handle(id, .refused(branch: branch, code: status))
        }
    }

    /// A 2xx that makes no dialog, since it has no tag or no usable Contact (RFC 3261 §12.1.2): nobody could be talked with, or hung up on, in one. Whoever
    /// sent it is let go, and counts as what a broken gateway is (§21.5.3).
    private func refuse(_ answer: Message, to request: RequestBuilder, _ id: String, _ branch: Int) {
        hangUp(request, acceptedBy: answer)
        branchIsOver(id, branch)
        handle(id, .refused(branch: branch, code: 502))
    }

    func failed(_ transaction: ClientTransactionID, code: Int) {
        if case .move(let id, let session, _)? = purposes[transaction] {
            purposes[transaction] = nil
            return handle(id, .moveRefused(session: session, code: code, wait: .zero))
        }
        if case .refresh(let id, _)? = purposes[transaction] {
            purposes[transaction] = nil
            return handle(id, .refreshAnswered(code: code, answer: nil, nil, minimum: nil, wait: .zero))
        }
        if case .referral(let id)? = purposes[transaction] {
            purposes[transaction] = nil
            return handle(id, .referAnswered(code: code))
        }
        if case .notice? = purposes[transaction] { return purposes[transaction] = nil }
        if case .notify(let id, let notice)? = purposes[transaction] {
            purposes[transaction] = nil
            noticeTaken(id, notice)
            return handle(id, .noticeRefused(notice.referral))
        }
        guard case .invite(let id, let branch)? = purposes.removeValue(forKey: transaction) else { return }
        branchIsOver(id, branch)
        // Nothing came back: what may still come is not ours to answer.
        handle(id, .refused(branch: branch, code: code))
    }

    /// A repeated 2xx wants its ACK again; one from another fork is acknowledged and hung up (RFC 3261 §13.2.2.4).
    func receiveStray(_ message: Message, _ transaction: ClientTransactionID?) {
        guard let status = message.status, (200..<300).contains(status), message.cseq?.method == .invite,
            let callID = message.callID, let found = legsByCallID[callID], let entry = legs[found.leg]
        else { return }
        if let dialog = entry.leg.sip.dialog, dialog.callID == callID, message.to?.tag == dialog.remoteTag {
            // Who has taken the call over has not sent it before.
            let again = dialog.acknowledgement(of: message.cseq?.number ?? 1)
            guard let (request, destination) = entry.acknowledgement ?? again.destination.map({ (again, $0) }) else { return }
            layer.acknowledge(request, to: destination, into: &outbox)
        } else if isAskedAgain(entry, found.branch) {
            // The INVITE of a predecessor is about to be sent again: the phone repeats this.
            return
        } else if let request = entry.requests[found.branch] {
            hangUp(request, acceptedBy: message)
        }
    }

    private func isAskedAgain(_ entry: Entry, _ branch: Int) -> Bool {
        guard entry.former != nil, entry.leg.phase == .ringing, entry.branches[branch] == nil, let dial = entry.leg.dial, dial.winner == nil,
            dial.targets.indices.contains(branch)
        else { return false }
        return dial.refusals[branch] == nil && dial.targets[branch].isOver != true
    }
}
