import Addresses
import Deadlines
import SIP

/// Requests and their responses, challenges answered on the way.
extension PhoneLine {
    /// How the same request is made again with the next CSeq number.
    typealias Renewal = (RequestBuilder) -> RequestBuilder

    /// Outside a dialog only the number changes (RFC 3261 §22.2).
    static func renewed(_ request: RequestBuilder) -> RequestBuilder {
        var request = request
        request.cseq += 1
        return request
    }

    var contact: NameAddress {
        var uri = URI(user: number, layer.sentBy)
        // One word for both kinds of WebSocket (RFC 7118 §5.2.2).
        let name = settings.transport == .wss ? Transport.ws.name : settings.transport.name
        if settings.transport != .udp { uri.parameters.set("transport", name.lowercased()) }
        if settings.padding > 0 { uri.parameters.set("padding", String(repeating: "x", count: min(settings.padding, 1_200))) }
        return NameAddress(uri)
    }

    var address: NameAddress { NameAddress(URI(user: number, host: settings.domain)) }

    func newTag() -> String {
        var random = SystemRandomNumberGenerator()
        return String(random.next(), radix: 36)
    }

    /// Sends a request and follows it to its end; `started` is told of every attempt, as a challenge makes a second one.
    func send(
        _ request: RequestBuilder, renew: @escaping Renewal = PhoneLine.renewed, attempt: Int = 0,
        started: @escaping (ClientTransactionID, RequestBuilder) -> Void = { _, _ in },
        reply: @escaping (RequestBuilder, Reply) -> Void
    ) {
        do {
            try open()
            try withLayer { layer, outbox in
                let id = layer.request(request, to: destination(of: request), now: loop.now, into: &outbox)
                replies[id] = { [self] outcome in
                    if case .final(let response) = outcome,
                        let next = answering(response, to: request, renew: renew, attempt: attempt)
                    {
                        return send(next, renew: renew, attempt: attempt + 1, started: started, reply: reply)
                    }
                    reply(request, outcome)
                }
                started(id, request)
            }
        } catch {
            return reply(request, .none(error as? PhoneError ?? .unreachable("\(error)")))
        }
    }

    /// Sends a request outside a dialog that has one final response, and waits for it.
    func exchange(_ request: RequestBuilder, within limit: Interval) async throws -> Message {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Message, any Error>) in
            var waiting: CheckedContinuation<Message, any Error>? = continuation
            let proxy = settings.proxy
            let timer = loop.schedule(at: loop.now + limit) {
                waiting?.resume(throwing: PhoneError.timedOut("no response to \(request.method) from \(proxy)"))
                waiting = nil
            }
            send(request) { [self] _, reply in
                switch reply {
                case .provisional: return
                case .final(let response): waiting?.resume(returning: response)
                case .none(let error): waiting?.resume(throwing: error)
                }
                waiting = nil
                loop.cancel(timer)
            }
        }
    }

    /// Within a dialog to the first route, otherwise to the proxy; a connection leads to the proxy in any case.
    func destination(of request: RequestBuilder) -> SocketAddress {
        guard settings.transport == .udp, request.to.tag != nil else { return proxy }
        return request.destination ?? proxy
    }

    /// The request with credentials, when the response is a challenge that can be answered (RFC 3261 §22).
    private func answering(
        _ response: Message, to request: RequestBuilder, renew: Renewal, attempt: Int
    ) -> RequestBuilder? {
        guard response.status == 401 || response.status == 407, attempt < 2 else { return nil }
        let order: [DigestHash] = [.sha512_256, .sha256, .md5]
        let usable = response.challenges.filter { settings.digest == nil || $0.hash == settings.digest }
        let strongest = order.lazy.compactMap { hash in usable.first { $0.hash == hash } }.first
        // A second challenge that is not for a stale nonce says that the password is wrong.
        guard let challenge = strongest, attempt == 0 || challenge.isStale else { return nil }
        let credentials = challenge.answer(
            user: number, password: settings.password, method: request.method, uri: request.uri.description, body: request.body,
            clientNonce: newTag(), choice: settings.digestChoice)
        var next = renew(request)
        next.headers.removeAll {
            $0.name == HeaderName.authorization.text || $0.name == HeaderName.proxyAuthorization.text
        }
        next.add(response.status == 401 ? .authorization : .proxyAuthorization, credentials.headerValue)
        return next
    }

    // MARK: What the transactions tell

    func handle(_ event: Outbox.Event) {
        switch event {
        case .response(let message, let id):
            guard let reply = replies[id] else { return }
            if message.status ?? 0 >= 200 {
                replies[id] = nil
                reply(.final(message))
            } else {
                reply(.provisional(message))
            }
        case .timedOut(let id):
            replies.removeValue(forKey: id)?(.none(.timedOut("no response from \(settings.proxy)")))
        case .transportFailed(let id):
            replies.removeValue(forKey: id)?(.none(.unreachable("\(settings.proxy) cannot be reached")))
        case .request(let message, let id, _):
            receiveRequest(message, id)
        case .ack(let message, _):
            receiveAcknowledgement(message)
        case .cancel(_, let id):
            receiveCancel(id)
        case .unacknowledged(let id):
            if let session = sessions.values.first(where: { $0.incoming?.id == id }) {
                sendBye(session, .failed("no ACK for the 200"))
            }
        case .strayResponse(let message, _):
            repeatAcknowledgement(of: message)
        }
    }

    /// A 2xx that comes again is answered with the same ACK (RFC 3261 §13.2.2.4).
    private func repeatAcknowledgement(of message: Message) {
        guard let cseq = message.cseq, cseq.method == .invite,
            let session = sessions.values.first(where: { $0.dialog?.matches(message) == true }),
            let ack = session.acknowledgement, ack.sequence == cseq.number, let dialog = session.dialog
        else { return }
        // It may be that the first one did not arrive because its edge died.
        let standby = settings.transport == .udp ? settings.standby : nil
        outbox.send(ack.bytes, to: standby ?? destination(of: dialog.acknowledgement(of: cseq.number)))
    }
}
