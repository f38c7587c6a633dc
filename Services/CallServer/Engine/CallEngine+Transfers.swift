import Addresses
import Bus
import Bytes
import Contracts
import Flow
import SIP

/// REFER and its NOTIFYs (RFC 3515), and attended transfers (RFC 5589 §7).
extension CallEngine {
    // MARK: REFER

    func receiveRefer(_ message: Message, _ transaction: ServerTransactionID, _ id: String) {
        guard let leg = legs[id]?.leg, let sequence = message.cseq?.number else { return answer(transaction, message, 481) }
        guard legs[id]?.refer == nil else { return answer(transaction, message, 491) }
        // RFC 3515 §2.4.1: one, and one that can be called.
        guard message.count(of: .referTo) == 1, let target = message.value(.referTo).flatMap({ NameAddress($0) })?.uri else {
            return answer(transaction, message, 400)
        }
        guard target.parameters["method"].map({ Method($0.uppercased()) == .invite }) ?? true else { return answer(transaction, message, 501) }
        guard let number = number(of: target, for: leg) else { return answer(transaction, message, 403) }
        // RFC 4488 §4: who says so wants no NOTIFY.
        let isSilent = message.value(named: "Refer-Sub")?.lowercased().hasPrefix("false") == true
        legs[id]?.refer = transaction
        var referral = Leg.Referral(id: sequence, number: number, isSilent: isSilent)
        referral.replaces = target.header("Replaces")
        let customer = leg.record.customerID
        guard let text = referral.replaces else {
            let (asked, context) = (referral, CallContext(customer: customer, deadline: Self.lookAhead))
            Task {
                // What cannot be found out is taken for a phone's.
                let program = await self.meaning(of: number, for: context)?.program
                self.refer(id, asked, program, transaction, message)
            }
            return
        }
        guard let named = DialogReference(text) else {
            legs[id]?.refer = nil
            return answer(transaction, message, 400)
        }
        guard isElsewhere(named) || isSeating(named, with: id) else { return join(id, referral, named) }
        Task {
            if self.isElsewhere(named) { await self.bring(named, customer: customer) }
            await self.untilSeated(named, with: id)
            // It may have ended meanwhile.
            if self.legs[id] == nil { self.answer(transaction, message, 481) } else { self.join(id, referral, named) }
            self.drain()
        }
    }

    private func refer(_ id: String, _ asked: Leg.Referral, _ program: Leg.Program?, _ transaction: ServerTransactionID, _ message: Message) {
        var referral = asked
        referral.program = program
        // It may have ended meanwhile.
        if legs[id] == nil { answer(transaction, message, 481) } else { handle(id, .referred(referral)) }
        drain()
    }

    /// Within the customer's own domain and nowhere else: whoever refers calls there too.
    private func number(of target: URI, for leg: Leg) -> String? {
        guard let user = target.calledUser, user.utf8.count <= 256, target.isOf(leg.sip.domain) else { return nil }
        return DialledNumber(user: user, isGRUU: target.parameters.contains("gr"), gr: target.parameters["gr"]).text
    }

    /// The numbers that a 3xx names, by falling q (RFC 3261 §20.10); those of other domains are nobody's here.
    func redirections(in response: Message, of leg: Leg) -> [String] {
        guard case .list(let contacts)? = response.contacts else { return [] }
        let ordered = contacts.prefix(20).enumerated().sorted { left, right in
            let (first, second) = (Double(left.element.parameters["q"] ?? "1") ?? 1, Double(right.element.parameters["q"] ?? "1") ?? 1)
            return first != second ? first > second : left.offset < right.offset
        }
        return ordered.compactMap { number(of: $0.element.uri, for: leg) }
    }

    func respondToRefer(_ id: String, _ code: Int) {
        guard let entry = legs[id], let transaction = entry.refer, let request = layer.request(of: transaction) else { return }
        legs[id]?.refer = nil
        respond(transaction, response(to: request, entry.leg, code: code, body: nil))
        drain()
    }

    func prepareNotify(_ id: String, _ code: Int, _ referral: UInt32, reason: String? = nil) {
        guard let request = legs[id]?.leg.sip.dialog?.request(.notify) else { return }
        let notice = SIPState.Notice(
            sent: SIPState.Sent(name: layer.newName(), sequence: request.cseq), code: code, referral: referral, reason: reason)
        legs[id]?.leg.sip.notice = notice
        legs[id]?.notifications.append(notice)
    }

    func notify(_ id: String) {
        guard legs[id]?.notifications.isEmpty == false, let notice = legs[id]?.notifications.removeFirst() else { return }
        send(notice, of: id)
    }

    /// For who has taken the call over: to the phone it is the same request.
    func notifyAgain(_ id: String) {
        if let notice = legs[id]?.leg.sip.notice { send(notice, of: id) }
    }

    /// RFC 3515 §2.4.5: the status line of what the new party says.
    private func send(_ notice: SIPState.Notice, of id: String) {
        guard var request = legs[id]?.leg.sip.dialog?.request(.notify, again: notice.sent.sequence), let destination = request.destination else { return }
        let isOver = notice.code >= 200
        request.contact = contact(of: id)
        request.add(.event, "refer;id=\(notice.referral)")
        request.add(
            .subscriptionState,
            notice.reason.map { "terminated;reason=\($0)" } ?? (isOver ? "terminated;reason=noresource" : "active;expires=\(Self.subscriptionSeconds)"))
        request.contentType = "message/sipfrag;version=2.0"
        request.body = Array("SIP/2.0 \(notice.code) \(Status.reason(notice.code))\r\n".utf8)
        purposes[layer.request(request, as: notice.sent.name, to: destination, now: loop.now, into: &outbox)] = .notify(leg: id, notice)
        drain()
    }

    /// The phone has it: nobody says it again.
    func noticeTaken(_ id: String, _ notice: SIPState.Notice) {
        guard legs[id]?.leg.sip.notice == notice else { return }
        legs[id]?.leg.sip.notice = nil
        saveSoon(id)
    }

    private static let subscriptionSeconds = 180

    /// A REFER's subscription is refreshed, or given up (RFC 3515 §2.4.4, RFC 6665 §4.1.2.3); there is no other within a call.
    func receiveSubscribe(_ message: Message, _ transaction: ServerTransactionID, _ id: String) {
        let event = (message.value(.event) ?? "").split(separator: ";").map { $0.filter { $0 != " " } }
        guard event.first == "refer" else { return answer(transaction, message, 489) }
        let named = event.first { $0.hasPrefix("id=") }.map { UInt32($0.dropFirst(3)) }
        guard let leg = legs[id]?.leg, let referral = leg.referral, !referral.isSilent, named == nil || named == referral.id else {
            return answer(transaction, message, 481)
        }
        let seconds = min(message.value(.expires).flatMap { Int($0) } ?? Self.subscriptionSeconds, Self.subscriptionSeconds)
        guard seconds >= 0 else { return answer(transaction, message, 400) }
        var builder = ResponseBuilder(message, 200)
        builder.contact = contact(of: id)
        builder.add(.expires, String(seconds))
        respond(transaction, builder)
        handle(id, .subscribed(seconds: seconds))
    }

    // MARK: Attended transfers

    /// Whom the phone of this leg talks with is brought together with whom it talks with in another call of its, which it names.
    private func join(_ id: String, _ referral: Leg.Referral, _ named: DialogReference) {
        guard let leg = legs[id]?.leg, let other = self.leg(of: named, customer: leg.record.customerID), let meet = meet(of: id, and: other.record.id)
        else { return handle(id, .referredInVain(referral)) }
        handle(id, .partnersJoined(by: referral))
        bringTogether(meet)
    }

    func meet(of id: String, and other: String) -> Leg.Encounter? { Leg.encounter(id, and: other, among: { legs[$0]?.leg }) }

    func bringTogether(_ meet: Leg.Encounter) {
        handle(meet.partner, .arrivalWanted(meet.arrival, roomID: meet.roomID, instance: meet.instance))
    }

    /// What a predecessor has accepted and may not have begun.
    func bringTogetherAgain(_ id: String) {
        guard let leg = legs[id]?.leg, leg.isBringingTogether, let named = leg.referral?.replaces.flatMap({ DialogReference($0) }) else { return }
        let customer = leg.record.customerID
        Task {
            // Its call may be another successor's.
            if self.isElsewhere(named) { await self.bring(named, customer: customer) }
            await self.untilSeated(named, with: id)
            guard self.legs[id]?.leg.isBringingTogether == true else { return }
            // Somebody is on the way already, or there.
            guard !self.legs.values.contains(where: { $0.leg.arrival?.replaces == id || $0.leg.arrived?.replaces == id }) else { return }
            if let other = self.leg(of: named, customer: customer), let meet = self.meet(of: id, and: other.record.id) {
                self.bringTogether(meet)
            } else {
                self.handle(id, .referralTold(480))
            }
        }
    }

    /// Whether that is a dialog, early or not, of a leg which has ended a moment ago.
    func isOver(_ named: DialogReference, customer: String) -> Bool {
        if endedDialogs.include(named, of: customer, at: loop.now) { return true }
        guard let id = legsByCallID[named.callID]?.leg, let leg = legs[id]?.leg, leg.record.customerID == customer, leg.isEnded else { return false }
        return leg.sip.dialog.map(named.names) == true || leg.sip.early?.contains { named.names($0.dialog) } == true
    }

    /// The leg whose dialog that is; never another customer's.
    func leg(of named: DialogReference, customer: String) -> Leg? {
        guard let id = legsByCallID[named.callID]?.leg, let leg = legs[id]?.leg, leg.record.customerID == customer, !leg.isEnded else { return nil }
        if let dialog = leg.sip.dialog, named.names(dialog) { return leg }
        return leg.sip.early?.contains { named.names($0.dialog) } == true ? leg : nil
    }
}
