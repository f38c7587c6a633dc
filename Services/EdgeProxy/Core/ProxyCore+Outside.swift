import Addresses
import SIP

/// What comes from outside: nothing it says about identity or route is believed unless we signed it.
extension ProxyCore {
    /// `now` in milliseconds of Unix time.
    func receiveOutside(_ message: Message, _ arrival: Arrival, now: Int64, _ directory: Directory) -> Decision {
        guard case .request(let method, _) = message.start else { return receiveResponseOutside(message) }
        if let defect = message.requestDefect { return refuse(message, arrival, defect) }
        if method == .ack, isAcknowledgementOfOurs(message) { return .drop(.ownAcknowledgement) }
        if message.maxForwards == 0 { return refuse(message, arrival, Refusal(483)) }
        let demanded = message.values(.proxyRequire).filter { !$0.isEmpty }
        if !demanded.isEmpty, method != .ack, method != .cancel {
            return refuse(message, arrival, Refusal(420), adding: [Header(.unsupported, demanded.joined(separator: ", "))])
        }
        switch method {
        case .ack, .cancel:
            guard isWelcome(message, arrival) else { return refuse(message, arrival, Refusal(403)) }
            return forwardToCallServer(message, method, arrival, nil, directory)
        case .options where isForEdge(message):
            return refuse(
                message, arrival, Refusal(200), adding: [Header(.allow, Self.allowed), Header(.accept, "application/sdp")])
        case .register:
            return authenticate(message, method, arrival, now: now, directory)
        default:
            // A To tag alone proves nothing: only the route we signed shows that an authenticated request made the dialog.
            if message.to?.tag != nil, recordedServer(message) != nil {
                return forwardToCallServer(message, method, arrival, nil, directory)
            }
            return authenticate(message, method, arrival, now: now, directory)
        }
    }

    private static let allowed =
        "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, PRACK, UPDATE, REFER, NOTIFY, SUBSCRIBE, MESSAGE"

    /// An OPTIONS without a user asks the edge itself whether it is there (§11).
    private func isForEdge(_ message: Message) -> Bool {
        message.requestURI.map { $0.user == nil && $0.opaque == nil && (configuration.alone == nil || names(us: $0)) } ?? false
    }

    /// The call server named in the topmost Route, when we signed it.
    func recordedServer(_ message: Message) -> SocketAddress? {
        guard let token = token(message.topmostRoute?.uri.user), token.kind == .server else { return nil }
        return token.inside
    }

    /// An in-dialog request goes where its route says while that lives; all else, and what has lost its server, by Call-ID.
    func forwardToCallServer(
        _ message: Message, _ method: Method, _ arrival: Arrival, _ account: Account?, _ directory: Directory
    ) -> Decision {
        let recorded = recordedServer(message).flatMap { address in directory.callServers.first { $0.address == address }?.address
        }
        let server = recorded ?? message.callIDHash.flatMap { Directory.pick(directory.callServers, callID: $0) }
        guard let server else { return unavailable(message, arrival) }
        return forwardInside(message, method, arrival, to: server, account)
    }

    func forwardToRegistrar(_ message: Message, _ arrival: Arrival, _ account: Account, _ directory: Directory) -> Decision {
        guard let server = message.callIDHash.flatMap({ Directory.pick(directory.registrars, callID: $0) }) else {
            return unavailable(message, arrival)
        }
        return forwardInside(message, .register, arrival, to: server, account)
    }

    func unavailable(_ message: Message, _ arrival: Arrival) -> Decision {
        guard message.method != .ack else { return .drop(.noServer) }
        return refuse(message, arrival, Refusal(503), adding: [Header(.retryAfter, String(configuration.retryAfter))])
    }

    private func forwardInside(
        _ message: Message, _ method: Method, _ arrival: Arrival, to server: SocketAddress, _ account: Account?
    ) -> Decision {
        guard let received = message.topmostVia else { return .drop(.unanswerable) }
        let flow = flow(of: arrival)
        let wayBack =
            arrival.transport.isReliable
            ? flow : FlowToken(flow: replyAddress(message, arrival), over: arrival.transport, inside: configuration.inside)
        guard let via = via(.udp, configuration.inside, wayBack: wayBack, for: message) else { return .drop(.unanswerable) }
        var edits = Edits(of: message)
        if let stamped = received.stamped(source: arrival.source) { edits.replaceFirst(.via, stamped.description) }
        edits.push(.via, via.description)
        decrementMaxForwards(message, &edits)
        if isTrusted(arrival) == true {
            // The farm asks for credentials and believes assertions, if it likes, and has routes of its own.
            edits.removeAll(prefixed: Self.privatePrefix)
            edits.pop(.route, count: ownLeadingRoutes(message))
        } else {
            stripAssertions(&edits)
            // Routes have been read; where a request from outside goes is for us to say.
            edits.removeAll(.route)
        }
        if method == .register {
            edits.push(.path, insideRoute(flow))
        } else if recordsRoute(method, message) {
            edits.push(.recordRoute, outsideRoute(server, arrival.transport))
            edits.push(.recordRoute, insideRoute(flow))
        }
        if let account {
            edits.append(.pAssertedIdentity, "<sip:\(URI.escapedUser(account.user))@\(account.domain)>")
            edits.append(Self.customerHeader, account.customer)
        }
        return .forward(edits.serialised(), to: .server(server))
    }

    private func flow(of arrival: Arrival) -> FlowToken {
        FlowToken(
            flow: arrival.source, over: arrival.transport, inside: configuration.inside, connection: arrival.connection,
            generation: arrival.transport.isReliable ? configuration.generation : 0)
    }

    /// What outsiders may not assert, and secrets that end here (§22.3, RFC 3325 §5).
    private func stripAssertions(_ edits: inout Edits) {
        stripPrivate(&edits)
        for name in [
            HeaderName.pPreferredIdentity, .remotePartyID, .diversion, .historyInfo, .authorization, .proxyAuthorization,
        ] {
            edits.removeAll(name)
        }
    }

    /// A response finds its way by the token in the topmost Via, which must be ours.
    private func receiveResponseOutside(_ message: Message) -> Decision {
        guard message.isUsableResponse, let via = message.topmostVia, let token = token(via.parameters[Self.wayBack]),
            token.kind == .server
        else { return .drop(.foreignResponse) }
        var edits = Edits(of: message)
        edits.pop(.via)
        stripAssertions(&edits)
        return .forward(edits.serialised(), to: .server(token.inside))
    }

    // MARK: Answers

    /// Answers towards the outside; an ACK is never answered (§17.1.1.3).
    func refuse(_ message: Message, _ arrival: Arrival, _ refusal: Refusal, adding headers: [Header] = []) -> Decision {
        guard message.method != .ack, message.topmostVia != nil else { return .drop(.unanswerable) }
        var response = ResponseBuilder(message.stamped(source: arrival.source), refusal, toTag: ownTag(for: message))
        response.headers = headers
        return .replyOutside(response.serialised(), status: refusal.status, to: replyAddress(message, arrival))
    }

    /// Always the address it came from, whatever Via says, so that nobody is flooded through us; the port of Via unless the
    /// client asked for its own (RFC 3581 §4).
    private func replyAddress(_ message: Message, _ arrival: Arrival) -> SocketAddress {
        guard let via = message.topmostVia, !via.wantsSourcePort else { return arrival.source }
        return SocketAddress(arrival.source.address, port: via.port ?? 5060)
    }
}
