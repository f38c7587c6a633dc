import Contracts
import SIP

/// REFER as we send it, and the NOTIFYs it brings (RFC 3515 §2.4).
extension CallEngine {
    func prepareRefer(_ id: String) {
        guard var dialog = legs[id]?.leg.sip.dialog else { return }
        let request = dialog.request(.refer)
        legs[id]?.leg.sip.dialog = dialog
        legs[id]?.referring = request
        legs[id]?.leg.sip.refer = SIPState.Sent(name: layer.newName(), sequence: request.cseq)
    }

    func refer(_ id: String, to target: String) {
        guard let leg = legs[id]?.leg, var request = legs[id]?.referring, let destination = request.destination, let uri = URI(target) else {
            return handle(id, .referAnswered(code: 500))
        }
        legs[id]?.referring = nil
        request.contact = contact(of: id)
        request.add(.referTo, NameAddress(uri).description)
        // Who sends it there: the number that it has called, or that has called it (RFC 3892).
        let referrer = leg.isInbound ? leg.record.to : leg.record.from
        request.headers.append(Header("Referred-By", NameAddress(URI(calling: referrer, at: leg.sip.domain)).description))
        let name = leg.sip.refer?.name ?? layer.newName()
        purposes[layer.request(request, as: name, to: destination, now: loop.now, into: &outbox)] = .referral(leg: id)
        drain()
    }

    /// For who has taken the call over: the phone takes it for the same request.
    func referAgain(_ id: String, to target: String) {
        guard let leg = legs[id]?.leg, let sent = leg.sip.refer, let dialog = leg.sip.dialog else { return handle(id, .referAnswered(code: 500)) }
        legs[id]?.referring = dialog.request(.refer, again: sent.sequence)
        refer(id, to: target)
    }

    func receiveNotify(_ message: Message, _ transaction: ServerTransactionID, _ id: String) {
        let event = message.value(.event)?.prefix { $0 != ";" } ?? ""
        guard event.filter({ $0 != " " }).lowercased() == "refer" else { return answer(transaction, message, 489) }
        // RFC 6665 §4.1.3: it belongs to no subscription.
        guard legs[id]?.leg.isReferring == true else { return answer(transaction, message, 481) }
        answer(transaction, message, 200)
        let isOver = message.value(.subscriptionState)?.lowercased().hasPrefix("terminated") == true
        handle(id, .referralProgressed(code: Self.status(ofFragment: message.body) ?? 100, isOver: isOver))
    }

    /// The status line that a `message/sipfrag` begins with (RFC 3420).
    private static func status(ofFragment body: some Collection<UInt8>) -> Int? {
        let line = String(decoding: body.prefix { $0 != 13 && $0 != 10 }.prefix(256), as: UTF8.self)
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].uppercased() == "SIP/2.0", let code = Int(words[1]), (100...699).contains(code) else { return nil }
        return code
    }
}
