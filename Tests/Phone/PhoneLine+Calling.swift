import Deadlines
import SDP
public import SIP

/// Calls this phone makes.
extension PhoneLine {
    static let allowed = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"

    /// Calls a number of the phone's domain, or a whole SIP address. Returns when the INVITE is on its way.
    public func call(_ target: String, _ headers: [Header] = [], callID: String? = nil) async throws -> PhoneCall {
        try open()
        guard let uri = target.contains(":") ? URI(target) : URI(user: target, host: settings.domain) else {
            throw PhoneError.wrongState("\(target) is no SIP address")
        }
        let session: CallSession
        do {
            session = try newSession(.caller, peer: uri.user ?? uri.host)
        } catch {
            throw PhoneError.unreachable("\(error)")
        }
        var from = address
        from.tag = newTag()
        var request = RequestBuilder(.invite, uri: uri, from: from, to: NameAddress(uri), callID: callID ?? newTag() + newTag(), cseq: 1)
        request.contact = contact
        request.headers = [Header(.userAgent, "Tandem test phone"), Header(.allow, Self.allowed)] + headers
        (request.contentType, request.body) = ("application/sdp", padded(session.media.offer()).bytes)
        send(
            request,
            started: { id, request in session.invite = (id, request) },
            reply: { [self] request, reply in receiveInviteReply(reply, to: request, session) })
        return PhoneCall(line: self, id: session.id, peer: session.peer)
    }

    /// The description with attributes that nobody knows, which are ignored (RFC 8866 §5.13).
    func padded(_ description: SessionDescription) -> SessionDescription {
        var description = description
        for start in stride(from: 0, to: settings.padding, by: 500) {
            let length = min(500, settings.padding - start)
            description.attributes.append(Attribute("x-padding", String(repeating: "x", count: length)))
        }
        return description
    }

    private func receiveInviteReply(_ reply: Reply, to request: RequestBuilder, _ session: CallSession) {
        switch reply {
        case .provisional(let response):
            receiveProgress(response, to: request, session)
        case .final(let response) where StatusClass(response.status ?? 0) == .success:
            receiveAnswer(response, to: request, session)
        case .final(let response):
            let status = response.status ?? 0
            session.retryAfter = response.value(.retryAfter).flatMap { Int($0) }
            session.finish(
                session.isGivenUp && status == 487 ? .cancelled : .refused(status: status, reason: response.reason ?? ""), loop: loop)
        case .none(let error):
            session.finish(.failed(error.description), loop: loop)
        }
    }

    private func receiveProgress(_ response: Message, to request: RequestBuilder, _ session: CallSession) {
        guard let status = response.status, status > 100 else { return }
        if let dialog = Dialog(callerOf: request, response: response) { session.dialog = dialog }
        // Early media: the description of an unreliable 183 is the answer's first copy (RFC 3261 §13.2.1).
        if session.media.isOfferPending, !response.body.isEmpty { _ = acceptAnswer(response, session) }
        session.advance(to: .ringing, now: loop.now, loop: loop)
    }

    private func receiveAnswer(_ response: Message, to request: RequestBuilder, _ session: CallSession) {
        guard let dialog = Dialog(callerOf: request, response: response) else {
            return session.finish(.failed("the 200 makes no dialog: no tag or no Contact"), loop: loop)
        }
        session.dialog = dialog
        acknowledge(request.cseq, session)
        if session.isGivenUp {
            // The answer crossed our CANCEL (RFC 3261 §9.1).
            return sendBye(session, .cancelled)
        }
        if session.media.isOfferPending, !acceptAnswer(response, session) {
            return sendBye(session, .failed(PhoneError.noCommonCodec.description))
        }
        session.advance(to: .answered, now: loop.now, loop: loop)
    }

    func acknowledge(_ sequence: UInt32, _ session: CallSession, body: SessionDescription? = nil) {
        guard let dialog = session.dialog else { return }
        var ack = dialog.acknowledgement(of: sequence)
        if let body { (ack.contentType, ack.body) = ("application/sdp", body.bytes) }
        let bytes = try? withLayer { layer, outbox in
            layer.acknowledge(ack, to: destination(of: ack), into: &outbox)
        }
        session.acknowledgement = bytes.map { (sequence, $0) }
    }

    /// Takes the answer to our offer; false when there is none that can be used.
    func acceptAnswer(_ message: Message, _ session: CallSession) -> Bool {
        guard let answer = try? SessionDescription.parse(message.body), let agreement = try? session.media.accept(answer) else {
            return false
        }
        session.sound.follow(agreement)
        return true
    }

    // MARK: Ending

    /// Ends a call in whichever way its state asks for: CANCEL, a refusal, or BYE; returns when the other side has confirmed.
    func hangUp(_ id: Int) async throws {
        try beginHangUp(try session(id))
        try await wait(id, for: .ended, within: .seconds(35))
    }

    func beginHangUp(_ session: CallSession) throws {
        switch (session.phase, session.role) {
        case (.ended, _):
            break
        case (.answered, _):
            sendBye(session, .hungUpHere)
        case (_, .caller):
            session.isGivenUp = true
            if let invite = session.invite { _ = try withLayer { $0.cancel(invite.id, now: loop.now, into: &$1) } }
        case (_, .callee):
            respond(session, 486)
            session.finish(.refused(status: 486, reason: Status.reason(486)), loop: loop)
        }
    }

    func sendBye(_ session: CallSession, _ end: CallEnd) {
        guard var dialog = session.dialog, dialog.state != .terminated else { return session.finish(end, loop: loop) }
        let bye = dialog.request(.bye)
        session.dialog = dialog
        send(
            bye, renew: renewal(in: session),
            reply: { [self] _, reply in
                // Whatever the other side says, the session is over (RFC 3261 §15.1.1); silence is worth telling.
                switch reply {
                case .provisional: break
                case .final(let response) where StatusClass(response.status ?? 0) == .success: session.finish(end, loop: loop)
                case .final(let response): session.finish(.failed(refusal(.bye, response).description), loop: loop)
                case .none(let error): session.finish(.failed("BYE: \(error)"), loop: loop)
                }
            })
    }

    /// In a dialog the dialog counts (RFC 3261 §12.2.1.1).
    func renewal(in session: CallSession) -> Renewal {
        { request in
            var request = request
            if var dialog = session.dialog {
                request.cseq = dialog.request(request.method).cseq
                session.dialog = dialog
            }
            return request
        }
    }

    func wait(_ id: Int, for phase: CallPhase, within limit: Interval) async throws {
        let session = try session(id)
        try await withCheckedThrowingContinuation { session.wait(for: phase, limit: limit, loop: loop, $0) }
    }
}
