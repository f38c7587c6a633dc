import Addresses
import Contracts
import SIP

/// What goes on before an answer, and with every offer of a phone's: provisional responses and their PRACKs (RFC 3262), UPDATE (RFC 3311).
extension CallEngine {
    // MARK: The phone's requests

    /// Keeps a request of the phone's that the relay is to be asked about; false, with 500, when there is one already (RFC 3261 §14.2,
    /// RFC 3311 §5.2), and with 422 when it wants too short a session.
    func take(_ message: Message, _ transaction: ServerTransactionID, from source: SocketAddress, for id: String) -> Bool {
        guard legs[id]?.reinvite == nil else {
            answer(transaction, message, 500)
            return false
        }
        if message.method != .prack, verdict(on: message, current: nil) == .tooSmall {
            answer(transaction, message, 422)
            return false
        }
        legs[id]?.reinvite = transaction
        legs[id]?.keptReinvite = transaction
        legs[id]?.leg.sip.reinvite = SIPState.Received(message, from: source)
        return true
    }

    func receiveUpdate(
        _ message: Message, _ transaction: ServerTransactionID, from source: SocketAddress, for id: String, early: String?
    ) {
        if let offer = sessionDescription(of: message) {
            guard take(message, transaction, from: source, for: id) else { return }
            return handle(id, .updated(offer: offer, early: early))
        }
        guard legs[id]?.leg.isEnded == false else { return answer(transaction, message, 481) }
        guard verdict(on: message, current: nil) != .tooSmall else { return answer(transaction, message, 422) }
        // A new target, or the session refreshed: with the 200 the phone relies on it that whoever has the call knows.
        takeTimer(of: message, id)
        commit(id, [])
        guard let leg = legs[id]?.leg else { return }
        respondWhenSaved(id, transaction, response(to: message, leg, code: 200, body: nil))
    }

    func receivePrack(_ message: Message, _ transaction: ServerTransactionID, from source: SocketAddress, for id: String) {
        guard let acknowledgement = message.provisionalAcknowledgement else { return answer(transaction, message, 400) }
        guard take(message, transaction, from: source, for: id) else { return }
        handle(id, .acknowledgedEarly(acknowledgement, body: sessionDescription(of: message)))
    }

    /// A request of a phone that rings, in the dialog that its provisional response has made.
    func receiveInEarlyDialog(_ message: Message, _ method: Method, _ transaction: ServerTransactionID, from source: SocketAddress) {
        guard let callID = message.callID, let id = legsByCallID[callID]?.leg,
            let place = legs[id]?.leg.sip.early?.firstIndex(where: { $0.dialog.matches(message) }),
            var dialog = legs[id]?.leg.sip.early?[place].dialog
        else { return answer(transaction, message, 481) }
        guard dialog.receive(message) == .accept else { return answerAgain(id, transaction, message) }
        if let flow = message.value(named: PrivateHeader.flow).flatMap({ NameAddress($0) }) { dialog.moveFirstRoute(to: flow) }
        legs[id]?.leg.sip.early?[place].dialog = dialog
        guard !refuseUnknownExtensions(transaction, message), !refuseUnknownBody(transaction, message) else { return }
        switch method {
        case .update: receiveUpdate(message, transaction, from: source, for: id, early: dialog.remoteTag)
        case .info: receiveInfo(message, transaction, id)
        case .message: receiveMessage(message, transaction, id)
        case .options: answer(transaction, message, 200)
        default: answer(transaction, message, 405)
        }
    }

    /// How an INVITE would have its provisional responses.
    func provisionals(of invite: Message) -> SIPState.Provisionals? {
        guard let sequence = invite.cseq?.number else { return nil }
        let isRequired = invite.required.contains("100rel")
        guard isRequired || invite.supported.contains("100rel") else { return nil }
        // RFC 3262 §3: between 1 and 2**31 - 1.
        return SIPState.Provisionals(wish: isRequired ? .required : .supported, invite: sequence, next: .random(in: 1...1_000_000))
    }

    func respondReliably(_ id: String, code: Int, body: String?, sequence: UInt32) {
        guard let entry = legs[id], let transaction = entry.invite, let request = layer.request(of: transaction) else { return }
        var builder = ResponseBuilder(request, code, toTag: entry.leg.sip.dialog?.localTag)
        builder.copiesRecordRoute = true
        builder.contact = contact(of: id)
        builder.add(.allow, Self.allowed)
        builder.add(.require, "100rel")
        builder.add(.rseq, String(sequence))
        welcomeCandidates(&builder, entry.leg)
        identify(&builder, entry.leg)
        for header in entry.leg.headersForCaller { builder.headers.append(Header(header.name, header.value)) }
        attach(body, to: &builder)
        respond(transaction, builder)
        drain()
    }

    // MARK: The phone's provisional responses

    func receiveProvisional(_ message: Message, _ status: Int, _ id: String, _ branch: Int) {
        guard let request = legs[id]?.requests[branch] else { return handle(id, .rang(branch: branch)) }
        handle(
            id,
            .progressed(
                branch: branch,
                Progress(
                    code: status, dialog: Dialog(callerOf: request, response: message), responseSequence: message.reliableSequence,
                    description: sessionDescription(of: message))))
    }

    /// The dialog of a 200: one that was early already keeps what has been said in it.
    func confirmedDialog(_ id: String, _ branch: Int, _ request: RequestBuilder, _ response: Message) -> Dialog? {
        let tag = response.to?.tag
        guard var dialog = legs[id]?.leg.sip.early?.first(where: { $0.branch == branch && $0.dialog.remoteTag == tag })?.dialog else {
            return Dialog(callerOf: request, response: response)
        }
        dialog.receive(response: response)
        return dialog
    }

    private func early(_ id: String, _ branch: Int, _ tag: String) -> Int? {
        legs[id]?.leg.sip.early?.firstIndex { $0.branch == branch && $0.dialog.remoteTag == tag }
    }

    func preparePrack(_ id: String, _ branch: Int, _ tag: String) {
        guard let place = early(id, branch, tag), var dialog = legs[id]?.leg.sip.early?[place].dialog else { return }
        let sequence = dialog.request(.prack).cseq
        let name = layer.newName()
        legs[id]?.leg.sip.early?[place].dialog = dialog
        legs[id]?.leg.sip.early?[place].prack = SIPState.Sent(name: name, sequence: sequence)
    }

    /// Under the name it has: to the phone it is one, whoever sends it; its transaction repeats it.
    func prack(_ id: String, _ branch: Int, _ tag: String) {
        guard let place = early(id, branch, tag), let leg = legs[id]?.leg, let early = leg.sip.early?[place], let sent = early.prack,
            let sequence = early.responseSequence, legs[id]?.pracked.insert(sent.name).inserted == true
        else { return }
        var request = early.dialog.request(.prack, again: sent.sequence)
        let invite = CSeq(leg.sip.branches[branch]?.sequence ?? 1, .invite)
        request.add(.rack, ProvisionalAcknowledgement(sequence, of: invite).description)
        guard let destination = request.destination else { return }
        purposes[layer.request(request, as: sent.name, to: destination, now: loop.now, into: &outbox)] = .notice(leg: id)
        drain()
    }
}
