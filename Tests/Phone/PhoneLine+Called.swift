import Deadlines
import SDP
import SIP

/// Requests this phone receives.
extension PhoneLine {
    func receiveRequest(_ message: Message, _ id: ServerTransactionID) {
        if message.to?.tag != nil { return receiveInDialog(message, id) }
        switch message.method {
        case .invite: receiveCall(message, id)
        case .options, .notify, .message: respond(id, ResponseBuilder(message, 200, toTag: newTag()))
        case .bye: respond(id, ResponseBuilder(message, 481, toTag: newTag()))
        default:
            var response = ResponseBuilder(message, 405, toTag: newTag())
            response.add(.allow, Self.allowed)
            respond(id, response)
        }
    }

    func respond(_ id: ServerTransactionID, _ response: ResponseBuilder) {
        _ = try? withLayer { $0.respond(id, response, now: loop.now, into: &$1) }
    }

    // MARK: A call

    private func receiveCall(_ message: Message, _ id: ServerTransactionID) {
        let tag = newTag()
        guard let session = try? newSession(.callee, peer: message.from?.uri.user ?? message.from?.uri.host ?? "?"),
            let dialog = Dialog(calleeOf: message, localTag: tag)
        else { return respond(id, ResponseBuilder(message, 500, toTag: tag)) }
        session.dialog = dialog
        session.incoming = (id, message, tag)
        announce(session)
        switch incoming {
        case .ignore:
            break
        case .refuse(let status):
            respond(session, status)
            session.finish(.refused(status: status, reason: Status.reason(status)), loop: loop)
        case .ring:
            ring(session)
        case .answer(let delay):
            ring(session)
            guard delay > .zero else { return answer(session) }
            let number = session.id
            session.answerTimer = loop.schedule(at: loop.now + delay) { [weak self] in
                self?.assumeIsolated { try? $0.answer(number) }
            }
        }
    }

    private func ring(_ session: CallSession) {
        respond(session, 180)
        session.advance(to: .ringing, now: loop.now, loop: loop)
    }

    func answer(_ id: Int) throws {
        let session = try session(id)
        guard session.role == .callee, session.phase < .answered else {
            throw PhoneError.wrongState("the call with \(session.peer) is \(session.phase): it cannot be answered")
        }
        answer(session)
    }

    private func answer(_ session: CallSession) {
        guard session.phase < .answered, let incoming = session.incoming else { return }
        guard let description = describe(incoming.request, session) else {
            respond(session, 488)
            return session.finish(.refused(status: 488, reason: Status.reason(488)), loop: loop)
        }
        session.dialog?.confirm()
        respond(session, 200, description)
        session.advance(to: .answered, now: loop.now, loop: loop)
    }

    /// The answer to the offer of a request, or an offer when it has none; nil when nothing can be agreed.
    private func describe(_ request: Message, _ session: CallSession) -> SessionDescription? {
        guard !request.body.isEmpty else { return session.media.offer() }
        guard let offer = try? SessionDescription.parse(request.body), let answer = try? session.media.answer(offer) else { return nil }
        if let agreement = session.media.agreement { session.sound.follow(agreement) }
        return answer
    }

    /// Answers the INVITE of an incoming call.
    func respond(_ session: CallSession, _ status: Int, _ description: SessionDescription? = nil) {
        guard let incoming = session.incoming else { return }
        var response = ResponseBuilder(incoming.request, status, toTag: incoming.localTag)
        response.copiesRecordRoute = status < 300
        if status < 300 { response.contact = contact }
        response.add(.userAgent, "Tandem test phone")
        if let description { (response.contentType, response.body) = ("application/sdp", padded(description).bytes) }
        respond(incoming.id, response)
    }

    func receiveCancel(_ id: ServerTransactionID) {
        guard let session = sessions.values.first(where: { $0.incoming?.id == id }), session.phase < .answered else { return }
        respond(session, 487)
        session.finish(.cancelled, loop: loop)
    }

    /// The answer to an offer of ours in a 200 comes with the ACK (RFC 3261 §13.2.1).
    func receiveAcknowledgement(_ message: Message) {
        guard !message.body.isEmpty, let session = sessions.values.first(where: { $0.dialog?.matches(message) == true }),
            session.media.isOfferPending
        else { return }
        if !acceptAnswer(message, session) { sendBye(session, .failed(PhoneError.noCommonCodec.description)) }
    }

    // MARK: In a dialog

    private func receiveInDialog(_ message: Message, _ id: ServerTransactionID) {
        guard let session = sessions.values.first(where: { $0.phase != .ended && $0.dialog?.matches(message) == true }) else {
            return respond(id, ResponseBuilder(message, 481))
        }
        guard session.dialog?.receive(message) == .accept else { return respond(id, ResponseBuilder(message, 500)) }
        switch message.method {
        case .bye:
            respond(id, ResponseBuilder(message, 200))
            if session.phase < .answered { respond(session, 487) }
            session.finish(.hungUpThere, loop: loop)
        case .invite, .update:
            receiveOffer(message, id, session)
        case .options, .info, .notify, .message:
            respond(id, ResponseBuilder(message, 200))
            if message.method == .notify { receiveNotice(message, session) }
        default:
            var response = ResponseBuilder(message, 405)
            response.add(.allow, Self.allowed)
            respond(id, response)
        }
    }

    /// A re-INVITE or UPDATE (RFC 3261 §14.2, RFC 3311).
    private func receiveOffer(_ message: Message, _ id: ServerTransactionID, _ session: CallSession) {
        if message.method == .update, message.body.isEmpty { return respond(id, accepted(message, nil)) }
        guard !session.media.isOfferPending else { return respond(id, ResponseBuilder(message, 491)) }
        guard let description = describe(message, session) else { return respond(id, ResponseBuilder(message, 488)) }
        respond(id, accepted(message, description))
    }

    private func accepted(_ message: Message, _ description: SessionDescription?) -> ResponseBuilder {
        var response = ResponseBuilder(message, 200)
        response.contact = contact
        if let description { (response.contentType, response.body) = ("application/sdp", padded(description).bytes) }
        return response
    }
}
