import Addresses
import SIP

/// What comes from our own servers: requests for a phone, named by the flow token of its Path or Record-Route, and responses.
extension ProxyCore {
    func receiveInside(_ message: Message, from source: SocketAddress) -> Decision {
        guard case .request(let method, _) = message.start else { return receiveResponseInside(message) }
        if let defect = message.requestDefect { return reply(message, source, defect) }
        if message.maxForwards == 0 { return reply(message, source, Refusal(483)) }
        let signed = token(message.topmostRoute?.uri.user).flatMap { $0.kind == .flow ? $0 : nil }
        guard let flow = signed ?? flowOutOfFarm(message, from: source) else {
            // An inside server may ask whether we are there.
            return reply(message, source, method == .options ? Refusal(200) : Refusal(404, "No Flow In Route"))
        }
        let sentBy = configuration.outside(over: flow.transport)
        guard let via = via(flow.transport, sentBy, wayBack: FlowToken(server: source), for: message) else {
            return .drop(.unanswerable)
        }
        var edits = Edits(of: message)
        edits.push(.via, via.description)
        decrementMaxForwards(message, &edits)
        edits.pop(.route, count: signed == nil ? ownLeadingRoutes(message) : ownRoutes(message))
        stripPrivate(&edits)
        if recordsRoute(method, message) {
            edits.push(.recordRoute, insideRoute(flow))
            edits.push(.recordRoute, outsideRoute(source, flow.transport))
        }
        return .forward(edits.serialised(), to: .flow(flow))
    }

    /// Two inside a dialog, where both entries of the double Record-Route come back; one for a Path.
    private func ownRoutes(_ message: Message) -> Int {
        let routes = message.routes ?? []
        guard routes.count > 1, let second = token(routes[1].uri.user), second.kind == .server else { return 1 }
        return 2
    }

    private func receiveResponseInside(_ message: Message) -> Decision {
        guard message.isUsableResponse, let via = message.topmostVia, let token = token(via.parameters[Self.wayBack]),
            token.kind == .flow
        else { return .drop(.foreignResponse) }
        var edits = Edits(of: message)
        edits.pop(.via)
        stripPrivate(&edits)
        return .forward(edits.serialised(), to: .flow(token))
    }

    /// The phone's connection is gone: 430 tells the server that this flow is dead (RFC 5626 §11.1).
    func flowFailed(_ message: Message, from source: SocketAddress) -> Decision {
        guard message.isRequest else { return .drop(.connectionGone) }
        return reply(message, source, Refusal(430))
    }

    private func reply(_ message: Message, _ source: SocketAddress, _ refusal: Refusal) -> Decision {
        guard message.method != .ack, message.topmostVia != nil else { return .drop(.unanswerable) }
        let response = ResponseBuilder(message.stamped(source: source), refusal, toTag: ownTag(for: message))
        return .reply(response.serialised(), status: refusal.status)
    }
}
