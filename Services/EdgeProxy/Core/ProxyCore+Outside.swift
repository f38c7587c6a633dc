import Addresses
import Bytes
import SIP

/// What comes from outside: nothing it says about identity or route is believed unless we signed it.
extension ProxyCore {
    /// `now` in milliseconds of Unix time.
    func receiveOutside(
        _ message: borrowing MessageView, _ arrival: Arrival, now: Int64, _ servers: inout Placement, _ admission: inout Admission
    ) -> Decision {
        guard message.isRequest else { return receiveResponseOutside(message, &servers) }
        do throws(Refusal) {
            return receiveRequestOutside(message, try RequestHead(message), arrival, now: now, &servers, &admission)
        } catch { return refuse(message, arrival, error, &admission) }
    }

    /// A request with a line that cannot be read, or with too much of something, is told so, when it says whom to tell (§21.4.1,
    /// §21.5.7): all that a response repeats of it is there.
    func receiveUnreadable(
        _ message: borrowing MessageView, _ error: ParseError, _ arrival: Arrival, _ admission: inout Admission
    ) -> Decision {
        guard message.isRequest, message.contains(.from), message.contains(.to), message.callID != nil, message.cseq != nil else {
            return .drop(.malformed)
        }
        return refuse(message, arrival, Refusal(error.isAboutSize ? 513 : 400), &admission)
    }

    private func receiveRequestOutside(
        _ message: borrowing MessageView, _ head: RequestHead, _ arrival: Arrival, now: Int64, _ servers: inout Placement,
        _ admission: inout Admission
    ) -> Decision {
        let method = head.method
        if method == .ack, isAcknowledgementOfOurs(message, head) { return .drop(.ownAcknowledgement) }
        let recorded = recordedServer(message, head)
        if let reason = refusal(message, head, arrival, recorded, servers.directory.trunks, &admission) { return .turnAway(reason) }
        if head.maxForwards == 0 { return refuse(message, arrival, Refusal(483)) }
        if isLoop(from: .outside, message, head) { return refuse(message, arrival, Refusal(482)) }
        if message.contains(.proxyRequire), method != .ack, method != .cancel {
            let demanded = message.message().values(.proxyRequire).filter { !$0.isEmpty }
            if !demanded.isEmpty {
                return refuse(message, arrival, Refusal(420), adding: [Header(.unsupported, demanded.joined(separator: ", "))])
            }
        }
        switch method {
        case .ack, .cancel:
            guard recorded != nil || isTrusted(arrival) != false else { return refuse(message, arrival, Refusal(403)) }
            return forwardToCallServer(message, head, arrival, recorded, nil, &servers)
        case .options where isForEdge(message, head):
            // Who asks whether to send calls here, a load balancer say, is told not to.
            if admission.isDraining { return unavailable(message) }
            let longest = longestAnswer(message, arrival, admission)
            return refuse(message, arrival, Refusal(200), adding: [Header(.allow, Self.allowed), Header(.accept, "application/sdp")])
                .shortened(to: longest) { refuse(message, arrival, Refusal(200)) }
        case .register:
            return authenticate(message, head, arrival, now: now, &servers, &admission)
        default:
            // A To tag alone proves nothing: only the route we signed shows that an authenticated request made the dialog.
            if head.to.tag != nil, recorded != nil {
                return forwardToCallServer(message, head, arrival, recorded, nil, &servers)
            }
            return authenticate(message, head, arrival, now: now, &servers, &admission)
        }
    }

    private static let allowed =
        "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, PRACK, UPDATE, REFER, NOTIFY, SUBSCRIBE, MESSAGE"

    /// An OPTIONS without a user asks the edge itself whether it is there (§11).
    func isForEdge(_ message: borrowing MessageView, _ head: RequestHead) -> Bool {
        head.uri.user == nil && head.uri.opaque == nil && (configuration.alone == nil || names(us: head.uri, in: message))
    }

    /// The call server named in the topmost Route, when we signed it.
    func recordedServer(_ message: borrowing MessageView, _ head: RequestHead) -> SocketAddress? {
        guard let token = token(head.topmostRoute?.uri.user, in: message), token.kind == .server else { return nil }
        return token.inside
    }

    /// An in-dialog request goes where its route says while that lives; all else, and what has lost its server, after
    /// its INVITE or by Call-ID.
    func forwardToCallServer(
        _ message: borrowing MessageView, _ head: RequestHead, _ arrival: Arrival, _ recorded: SocketAddress?, _ sender: Originator?,
        _ servers: inout Placement
    ) -> Decision {
        // Within a call it is the call server's, whatever it is for (RFC 6665 §4.5.2 lets dialogs be shared).
        if isForRegistrar(message, head), recorded.map({ servers.directory.callServers.includes($0) }) != true {
            return forwardToRegistrar(message, head, arrival, recorded, sender, servers.directory)
        }
        var living = recorded.flatMap { servers.directory.callServers.includes($0) ? $0 : nil }
        if living == nil, let callID = message.callIDHash {
            living = servers.callServer(callID: callID)
            if let living, recordsRoute(head) { servers.note(callID: callID, living) }
        }
        guard let server = living else { return unavailable(message) }
        return forwardInside(message, head, arrival, to: server, sender, inDialog: recorded != nil)
    }

    /// A SUBSCRIBE for the registration of an extension (RFC 3680) or the dialogs of its phones (RFC 4235), within a dialog of its own or
    /// before it: any registrar serves it. One that begins a dialog for anything else is its, too: it says which events there are (RFC 6665 §8.3.2).
    func isForRegistrar(_ message: borrowing MessageView, _ head: RequestHead) -> Bool {
        guard head.method == .subscribe else { return false }
        if head.to.tag == nil, configuration.alone == nil { return true }
        guard let event = message.first(.event)?.valueRange else { return false }
        let end = message.bytes.firstIndex(of: UInt8(ascii: ";"), from: event.lowerBound, to: event.upperBound)
        var name = event.lowerBound..<end
        while let last = name.last, message.bytes[last] == UInt8(ascii: " ") || message.bytes[last] == UInt8(ascii: "\t") { name.removeLast() }
        let package = message.bytes.extracting(name)
        return ASCII.equals(package, "reg") || ASCII.equals(package, "dialog")
    }

    func forwardToRegistrar(
        _ message: borrowing MessageView, _ head: RequestHead, _ arrival: Arrival, _ recorded: SocketAddress?, _ sender: Originator?,
        _ directory: Directory
    ) -> Decision {
        let living = recorded.flatMap { directory.registrars.includes($0) ? $0 : nil }
        let server = living ?? message.callIDHash.flatMap { directory.registrars.pick(callID: $0) }
        guard let server else { return unavailable(message) }
        return forwardInside(message, head, arrival, to: server, sender, inDialog: recorded != nil)
    }

    private func unavailable(_ message: borrowing MessageView) -> Decision {
        if case .request(.ack, _) = message.start { return .drop(.noServer) }
        return .unavailable
    }

    private func forwardInside(
        _ message: borrowing MessageView, _ head: RequestHead, _ arrival: Arrival, to server: SocketAddress, _ sender: Originator?,
        inDialog: Bool
    ) -> Decision {
        let flow = flow(of: arrival)
        let wayBack =
            arrival.transport.isReliable
            ? flow : FlowToken(flow: replyAddress(head.via, arrival), over: arrival.transport, inside: configuration.inside)
        let hop = hop(from: .outside, .udp, configuration.inside, wayBack: wayBack, for: message, head)
        // The farm behind an edge alone asks for credentials and believes assertions, if it likes, and has routes of its own.
        let isTrusted = isTrusted(arrival) == true
        var forwarding = Forwarding(hop: hop, stripping: isTrusted ? .privateOnly : sender?.stripping ?? .assertions)
        (forwarding.source, forwarding.topmostVia) = (arrival.source, (head.via, head.viaElement))
        forwarding.maxForwards = decremented(head)
        // Routes have been read; where a request from outside goes is for us to say.
        forwarding.poppedRoutes = isTrusted ? ownLeadingRoutes(message, head, isSigned: inDialog) : .max
        if head.method == .register {
            recordPath(flow, message, arrival, &forwarding)
        } else if recordsRoute(head) {
            forwarding.recording = .routes(upper: insideRoute(flow), lower: outsideRoute(server, arrival.transport, for: arrival.source))
        } else if inDialog, configuration.alone == nil {
            forwarding.recording = .flow(insideRoute(flow))
        }
        forwarding.identity = sender?.identity
        return .forward(forwarding, to: .server(server))
    }

    private func flow(of arrival: Arrival) -> FlowToken {
        FlowToken(
            flow: arrival.source, over: arrival.transport, inside: configuration.inside, connection: arrival.connection,
            generation: arrival.transport.isReliable ? configuration.generation : 0)
    }

    /// A response finds its way by the token in the topmost Via, which must be ours. That of a server which is no more goes where
    /// its call's requests go now.
    private func receiveResponseOutside(_ message: borrowing MessageView, _ servers: inout Placement) -> Decision {
        guard let head = ResponseHead(message), let token = wayBack(head, in: message), token.kind == .server else {
            return .drop(.foreignResponse)
        }
        if configuration.alone == nil, !isLiving(token.inside, servers.directory), let callID = message.callIDHash,
            let successor = servers.callServer(callID: callID)
        {
            return .forward(Forwarding(hop: nil, stripping: .assertions), to: .server(successor))
        }
        let server =
            token.transport.isReliable
            ? Destination.connectedServer(token.inside, from: UInt16(truncatingIfNeeded: token.connection)) : .server(token.inside)
        return .forward(Forwarding(hop: nil, stripping: .assertions), to: server)
    }

    // MARK: Answers

    /// Answers towards the outside; an ACK is never answered (§17.1.1.3).
    func refuse(
        _ view: borrowing MessageView, _ arrival: Arrival, _ refusal: Refusal, adding headers: [Header] = []
    ) -> Decision {
        if case .request(.ack, _) = view.start { return .drop(.unanswerable) }
        guard let via = view.replyVia else { return .drop(.unanswerable) }
        var response = ResponseBuilder(view.message(), refusal, toTag: ownTag(view))
        (response.headers, response.source) = (headers, arrival.source)
        return .replyOutside(response.serialised(), status: refusal.status, to: replyAddress(via, arrival))
    }

    /// Always the address it came from, whatever Via says, so that nobody is flooded through us; the port of Via unless the
    /// client asked for its own (RFC 3581 §4).
    private func replyAddress(_ via: Via.Layout, _ arrival: Arrival) -> SocketAddress {
        via.wantsSourcePort ? arrival.source : SocketAddress(arrival.source.address, port: via.port ?? 5060)
    }
}
