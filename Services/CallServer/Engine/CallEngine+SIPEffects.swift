import Addresses
import Contracts
import SIP

/// The effects of a leg that are SIP messages.
extension CallEngine {
    /// What an effect adds to the leg itself, so that the snapshot written before it knows: the names of a dialog, a CSeq.
    func prepare(_ effect: LegEffect, for id: String) {
        switch effect {
        case .invite(let branch, _):
            legs[id]?.leg.sip.branches[branch] = SIPState.Branch(
                callID: "\(layer.newTag())@\(address.address)", localTag: layer.newTag())
        case .bye:
            let request = legs[id]?.leg.sip.dialog?.request(.bye)
            legs[id]?.bye = request
        case .reinvite:
            let request = legs[id]?.leg.sip.dialog?.request(.invite)
            legs[id]?.reinviting = request
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
            for header in entry.leg.headers ?? [] { builder.headers.append(Header(header.name, header.value)) }
        }
        if code == 503 { builder.add(.retryAfter, String(Int.random(in: 5...30))) }
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
        // A 200's ACK may carry the answer to our offer, and may fail to come.
        if code >= 300 { invites[transaction] = nil }
        var builder = ResponseBuilder(request, code)
        if code < 300 { builder.contact = contact(of: id) }
        attach(body, to: &builder)
        respond(transaction, builder)
        drain()
    }

    private func attach(_ body: String?, to builder: inout ResponseBuilder) {
        guard let body else { return }
        builder.body = Array(body.utf8)
        builder.contentType = "application/sdp"
    }

    func invite(_ id: String, branch: Int, body: String) {
        guard let leg = legs[id]?.leg, let dial = leg.dial, dial.targets.indices.contains(branch) else { return }
        let target = dial.targets[branch]
        guard let names = leg.sip.branches[branch] else { return }
        guard let uri = URI(target.contact) else {
            handle(id, .refused(branch: branch, code: 484))
            return
        }
        let domain = leg.sip.domain
        let callerURI = URI(user: leg.record.from, host: leg.record.from == "anonymous" ? "anonymous.invalid" : domain)
        var from = NameAddress(callerURI, display: dial.callerName.isEmpty ? nil : dial.callerName)
        from.tag = names.localTag
        var request = RequestBuilder(
            .invite, uri: uri, from: from, to: NameAddress(URI(user: DialledNumber(dial.number).user, host: domain)), callID: names.callID, cseq: 1)
        request.routes = target.route.compactMap { URI($0).map { NameAddress($0) } }
        request.contact = contact(of: id)
        request.add(.allow, Self.allowed)
        for header in leg.headers ?? [] { request.headers.append(Header(header.name, header.value)) }
        request.body = Array(body.utf8)
        request.contentType = "application/sdp"
        guard let destination = request.destination else {
            handle(id, .refused(branch: branch, code: 480))
            return
        }
        legs[id]?.requests[branch] = request
        legsByCallID[names.callID] = (id, branch)
        let transaction = layer.request(request, to: destination, now: loop.now, into: &outbox)
        legs[id]?.branches[branch] = transaction
        purposes[transaction] = .invite(leg: id, branch: branch)
        drain()
    }

    func cancel(_ id: String, branch: Int) {
        guard let transaction = legs[id]?.branches[branch] else { return }
        layer.cancel(transaction, now: loop.now, into: &outbox)
        drain()
    }

    func acknowledge(_ id: String, branch: Int) {
        guard let dialog = legs[id]?.leg.sip.dialog else { return }
        let request = dialog.acknowledgement(of: 1)
        guard let destination = request.destination else { return }
        legs[id]?.acknowledgement = (request, destination)
        layer.acknowledge(request, to: destination, into: &outbox)
        drain()
    }

    /// A second answer: its call is taken and ended at once.
    func dismiss(_ id: String, branch: Int) {
        guard let request = legs[id]?.requests[branch], let response = legs[id]?.successes[branch],
            var dialog = Dialog(callerOf: request, response: response)
        else { return }
        hangUp(&dialog)
        drain()
    }

    func hangUp(_ dialog: inout Dialog) {
        let acknowledgement = dialog.acknowledgement(of: 1)
        if let destination = acknowledgement.destination { layer.acknowledge(acknowledgement, to: destination, into: &outbox) }
        let bye = dialog.request(.bye)
        if let destination = bye.destination {
            purposes[layer.request(bye, to: destination, now: loop.now, into: &outbox)] = .goodbye(nil)
        }
    }

    func bye(_ id: String) {
        guard let leg = legs[id]?.leg, let request = legs[id]?.bye, let destination = request.destination else { return }
        let goodbye = rerouting(of: leg, request).map { Goodbye(request: request, rerouting: $0) }
        purposes[layer.request(request, to: destination, now: loop.now, into: &outbox)] = .goodbye(goodbye)
        drain()
    }
}
