import SIP

/// The edge's part in client-initiated connections (RFC 5626 §5).
extension ProxyCore {
    /// §5.1: a phone that asks for outbound learns that its first hop can do it, and by the registrar's Flow-Timer (§4.4) how often
    /// it has to be heard of.
    func recordPath(
        _ flow: FlowToken, _ message: borrowing MessageView, _ arrival: Arrival, _ forwarding: inout Forwarding
    ) {
        var route = insideRoute(flow)
        if isFirstHop(message), message.message().supported.contains("outbound") {
            route.isOutbound = true
            if configuration.alone == nil { forwarding.flowTimer = flowTimer(arrival.transport) }
        }
        // Alone, nobody behind us would know what to do with a Service-Route, nor with the timer.
        forwarding.recording = .path(route, service: configuration.alone == nil ? serviceRoute(arrival.transport, for: arrival.source) : nil)
    }

    /// §5.1: another proxy between the phone and us would have to keep the flow too.
    private func isFirstHop(_ message: borrowing MessageView) -> Bool {
        var vias = MessageView.Elements(.via)
        return vias.next(in: message) != nil && vias.next(in: message) == nil
    }

    /// Middleboxes forget a way over UDP after half a minute of silence, whatever they should (RFC 4787 §4.3).
    private func flowTimer(_ transport: Transport) -> Int {
        transport.isReliable ? configuration.flowTimer : min(configuration.flowTimer, 30)
    }
}
