import Addresses
import SIP

/// What comes from our own servers: requests for a phone, named by the flow token of its Path or Record-Route, and responses.
extension ProxyCore {
    /// `source` is where the server listens; `port` that of its connection, when the message came over one.
    func receiveInside(
        _ message: borrowing MessageView, from source: SocketAddress, connectedFrom port: UInt16? = nil, trunks: Trunks = .none
    ) -> Decision {
        guard message.isRequest else { return receiveResponseInside(message, trunks) }
        do throws(Refusal) {
            return receiveRequestInside(message, try RequestHead(message), from: source, port, trunks)
        } catch { return reply(message, source, error) }
    }

    private func receiveRequestInside(
        _ message: borrowing MessageView, _ head: RequestHead, from source: SocketAddress, _ port: UInt16?, _ trunks: Trunks
    ) -> Decision {
        if head.maxForwards == 0 { return reply(message, source, Refusal(483)) }
        if isLoop(from: .inside, message, head) { return reply(message, source, Refusal(482)) }
        let signed = token(head.topmostRoute?.uri.user, in: message).flatMap { $0.kind == .flow ? $0 : nil }
        guard let flow = signed ?? flowOutOfFarm(message, head, from: source) else {
            // An inside server may ask whether we are there.
            return reply(message, source, head.method == .options ? Refusal(200) : Refusal(404, "No Flow In Route"))
        }
        let wayBack = port.map { FlowToken(server: source, connectedFrom: $0) } ?? FlowToken(server: source)
        let outside = configuration.outside.address(over: flow.transport, for: flow.remote)
        let hop = hop(
            from: .inside, flow.transport, outside, wayBack: wayBack, for: message, head)
        var forwarding = Forwarding(hop: hop, stripping: stripping(towards: flow, trunks))
        forwarding.maxForwards = decremented(head)
        forwarding.poppedRoutes = signed == nil ? ownLeadingRoutes(message, head) : ownRoutes(message, head)
        if recordsRoute(head) {
            forwarding.recording = .routes(upper: outsideRoute(source, flow.transport, for: flow.remote), lower: insideRoute(flow))
        }
        return .forward(forwarding, to: .flow(flow))
    }

    /// Two inside a dialog, where both entries of the double Record-Route come back; one for a Path.
    private func ownRoutes(_ message: borrowing MessageView, _ head: RequestHead) -> Int {
        guard let next = head.nextRoute else { return 1 }
        return token(next.uri.user, in: message)?.kind == .server ? 2 : 1
    }

    /// Who is asserted is nobody's business outside, but a trusted trunk's (RFC 3325 §5).
    private func stripping(towards flow: FlowToken, _ trunks: Trunks) -> Forwarding.Stripping {
        guard !trunks.isEmpty, trunks.trunk(at: flow.remote.address, over: flow.transport)?.getsIdentity == true else { return .assertedIdentity }
        return .privateOnly
    }

    private func receiveResponseInside(_ message: borrowing MessageView, _ trunks: Trunks) -> Decision {
        guard let head = ResponseHead(message), let flow = wayBack(head, in: message), flow.kind == .flow else {
            return .drop(.foreignResponse)
        }
        return .forward(Forwarding(hop: nil, stripping: stripping(towards: flow, trunks)), to: .flow(flow))
    }

    /// The phone's connection is gone: 430 tells the server that this flow is dead (RFC 5626 §11.1).
    func flowFailed(_ message: borrowing MessageView, from source: SocketAddress) -> Decision {
        guard message.isRequest else { return .drop(.connectionGone) }
        return reply(message, source, Refusal(430))
    }

    private func reply(_ view: borrowing MessageView, _ source: SocketAddress, _ refusal: Refusal) -> Decision {
        let message = view.message()
        guard message.method != .ack, message.topmostVia != nil else { return .drop(.unanswerable) }
        let response = ResponseBuilder(message.stamped(source: source), refusal, toTag: ownTag(view))
        return .reply(response.serialised(), status: refusal.status)
    }
}
