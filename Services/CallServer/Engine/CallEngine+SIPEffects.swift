import Addresses
import Contracts
import Deadlines
import SIP

/// The effects of a leg that are SIP messages.
extension CallEngine {
    /// What an effect adds to the leg itself, so that the snapshot written before it knows: the names of a dialog, a CSeq.
    func prepare(_ effect: LegEffect, for id: String) {
        switch effect {
        case .invite(let branch, _):
            let callID = "\(layer.newTag())@\(address.address)"
            legs[id]?.leg.sip.branches[branch] = SIPState.Branch(callID: callID, localTag: layer.newTag(), name: layer.newName())
            // Of several phones that ring, the first; the one that answers in its place once it does.
            if legs[id]?.leg.record.sipCallID == nil { legs[id]?.leg.record.sipCallID = callID }
        case .bye:
            let request = legs[id]?.leg.sip.dialog?.request(.bye)
            legs[id]?.bye = request
            legs[id]?.leg.sip.bye = request.map { SIPState.Sent(name: layer.newName(), sequence: $0.cseq) }
        case .reinvite:
            let request = legs[id]?.leg.sip.dialog?.request(.invite)
            legs[id]?.reinviting = request
            legs[id]?.leg.sip.offering = request.map { SIPState.Sent(name: layer.newName(), sequence: $0.cseq) }
        case .respondToReinvite(let code, let body):
            if code < 300 { takeTimer(id) }
            remember(id, legs[id]?.reinvite, code, body)
        case .respondToRefer(let code): remember(id, legs[id]?.refer, code, nil)
        case .inviteLonger(let branch, _):
            legs[id]?.leg.sip.branches[branch]?.name = layer.newName()
            legs[id]?.leg.sip.early?.removeAll { $0.branch == branch }
            if legs[id]?.leg.dial?.targets.indices.contains(branch) == true { legs[id]?.leg.dial?.targets[branch].isOver = nil }
        case .prack(let branch, let tag, _): preparePrack(id, branch, tag)
        case .refresh(let body): prepareRefresh(id, body)
        case .notify(let code, let referral): prepareNotify(id, code, referral)
        case .notifyLast(let code, let referral): prepareNotify(id, code, referral, reason: "timeout")
        case .refer: prepareRefer(id)
        case .message(let text): prepareMessage(id, text)
        case .rename: journal.rename(id)
        case .updateMedia(let kind, let remote, let profile):
            legs[id]?.leg.media.asked = Leg.Asked(kind: kind, remote: remote, profile: profile)
        case .respond(200, _):
            legs[id]?.leg.sip.dialog?.confirm()
        default:
            break
        }
    }

    func contact(of id: String) -> NameAddress { NameAddress(URI(user: id, address)) }

    func respondToInvite(_ id: String, code: Int, body: String?) {
        guard let entry = legs[id], let transaction = entry.invite, let request = layer.request(of: transaction) else { return }
        var builder = ResponseBuilder(request, code, toTag: entry.leg.sip.dialog?.localTag)
        builder.copiesRecordRoute = code < 300
        if code < 300 {
            builder.contact = contact(of: id)
            builder.add(.allow, Self.allowed)
            if code >= 200 { extend(&builder, entry.leg) } else { welcomeCandidates(&builder, entry.leg) }
            identify(&builder, entry.leg)
            for header in entry.leg.headersForCaller { builder.headers.append(Header(header.name, header.value)) }
        }
        if code == 503 { builder.add(.retryAfter, String(Int.random(in: 5...30))) }
        if code != 503, code >= 300, let seconds = entry.leg.retryAfter { builder.add(.retryAfter, String(seconds)) }
        // RFC 6432.
        if code >= 300, let cause = entry.leg.record.hangupCause { builder.add(.reason, "Q.850;cause=\(cause)") }
        attach(body, to: &builder)
        if code == 200 {
            let waited = (legs[id]?.leg.record.answeredAt?.milliseconds ?? 0) - entry.leg.record.createdAt.milliseconds
            Counters.setup.observe(nanoseconds: UInt64(max(waited, 0)) * 1_000_000)
        }
        respond(transaction, builder)
        drain()
    }

    func respondToReinvite(_ id: String, code: Int, body: String?) {
        guard let entry = legs[id], let transaction = entry.reinvite, let request = layer.request(of: transaction) else { return }
        legs[id]?.reinvite = nil
        // A 200's ACK may carry the answer to our offer, and may fail to come; UPDATE and PRACK have none.
        if code >= 300 || request.method != .invite {
            invites[transaction] = nil
            legs[id]?.keptReinvite = nil
            legs[id]?.leg.sip.reinvite = nil
        } else {
            legs[id]?.unacknowledged.insert(transaction)
        }
        respond(transaction, response(to: request, entry.leg, code: code, body: body))
        drain()
    }

    func attach(_ body: String?, to builder: inout ResponseBuilder) {
        guard let body else { return }
        builder.body = Array(body.utf8)
        builder.contentType = "application/sdp"
    }

    /// `patience`: how long a first response is waited for, when it is not timer B.
    func invite(_ id: String, branch: Int, body: String, patience: Interval? = nil) {
        guard let leg = legs[id]?.leg, let names = leg.sip.branches[branch] else { return }
        guard let request = inviteRequest(leg, branch: branch, body: body) else {
            handle(id, .refused(branch: branch, code: 484))
            return
        }
        guard let destination = request.destination else {
            handle(id, .refused(branch: branch, code: 480))
            return
        }
        legs[id]?.requests[branch] = request
        legsByCallID[names.callID] = (id, branch)
        let transaction = layer.request(
            request, as: names.name ?? layer.newName(), to: destination, now: loop.now, patience: patience, into: &outbox)
        legs[id]?.branches[branch] = transaction
        purposes[transaction] = .invite(leg: id, branch: branch)
        noteInvited(id)
        drain()
    }

    /// The INVITE to a target, as often as it is asked for the same.
    func inviteRequest(_ leg: Leg, branch: Int, body: String) -> RequestBuilder? {
        guard let dial = leg.dial, dial.targets.indices.contains(branch), let names = leg.sip.branches[branch],
            let uri = URI(dial.targets[branch].contact)
        else { return nil }
        let domain = leg.sip.domain
        let callerURI = URI(calling: leg.record.from, at: leg.record.from == "anonymous" ? "anonymous.invalid" : domain)
        var from = NameAddress(callerURI, display: dial.callerName.isEmpty ? nil : dial.callerName)
        from.tag = names.localTag
        var request = RequestBuilder(
            .invite, uri: uri, from: from, to: NameAddress(URI(calling: DialledNumber(dial.number).user, at: domain)), callID: names.callID,
            cseq: names.sequence ?? 1)
        request.maxForwards = leg.sip.hops ?? request.maxForwards
        // RFC 3323 §4.2: nobody on the way may add who it is.
        if leg.record.from == "anonymous" { request.add(.privacy, "id") }
        request.routes = dial.targets[branch].route.compactMap { URI($0).map { NameAddress($0) } }
        request.contact = contact(of: leg.record.id)
        request.add(.allow, Self.allowed)
        extend(&request, leg, trickles: TrickledCandidates.areWelcome(by: body))
        for header in (leg.headers ?? []) + leg.history(of: dial.targets[branch]) { request.headers.append(Header(header.name, header.value)) }
        request.body = Array(body.utf8)
        request.contentType = "application/sdp"
        return request
    }

    func cancel(_ id: String, branch: Int) {
        guard let transaction = legs[id]?.branches[branch] else { return }
        layer.cancel(transaction, reason: legs[id]?.leg.cancelReason, now: loop.now, into: &outbox)
        drain()
    }

    func acknowledge(_ id: String, branch: Int) {
        guard let leg = legs[id]?.leg, let dialog = leg.sip.dialog else { return }
        let request = dialog.acknowledgement(of: leg.sip.branches[branch]?.sequence ?? 1)
        guard let destination = request.destination else { return }
        legs[id]?.acknowledgement = (request, destination)
        layer.acknowledge(request, to: destination, into: &outbox)
        drain()
    }

    /// A second answer: its call is taken and ended at once.
    func dismiss(_ id: String, branch: Int) {
        guard let request = legs[id]?.requests[branch], let response = legs[id]?.successes[branch] else { return }
        hangUp(request, acceptedBy: response)
        drain()
    }

    /// Takes the 2xx of an INVITE and ends what it has made, be it no dialog (RFC 3261 §12.1.2): its sender takes it for one.
    func hangUp(_ invite: RequestBuilder, acceptedBy response: Message) {
        guard var dialog = Dialog(callerOf: invite, response: response) ?? Dialog(ending: invite, acceptedBy: response) else { return }
        let acknowledgement = dialog.acknowledgement(of: invite.cseq)
        if let destination = acknowledgement.destination { layer.acknowledge(acknowledgement, to: destination, into: &outbox) }
        let bye = dialog.request(.bye)
        if let destination = bye.destination {
            purposes[layer.request(bye, to: destination, now: loop.now, into: &outbox)] = .goodbye(nil)
        }
    }

    func bye(_ id: String) {
        guard let leg = legs[id]?.leg, var request = legs[id]?.bye, let destination = request.destination else { return }
        if let cause = leg.record.hangupCause { request.add(.reason, "Q.850;cause=\(cause)") }
        let goodbye = rerouting(of: leg, request).map { Goodbye(request: request, rerouting: $0) }
        let name = leg.sip.bye?.name ?? layer.newName()
        purposes[layer.request(request, as: name, to: destination, now: loop.now, into: &outbox)] = .goodbye(goodbye)
        drain()
    }
}
