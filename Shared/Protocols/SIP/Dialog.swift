/// A dialog (RFC 3261 §12): everything two user agents remember to send each other requests. A plain value, so a call can be
/// snapshotted and taken over with it.
public struct Dialog: Sendable, Hashable, Codable {
    public enum State: String, Sendable, Codable { case early, confirmed, terminated }

    /// What is to be done with a request received inside the dialog.
    public enum Verdict: Sendable, Hashable {
        case accept
        /// Its CSeq is not above the last one: 500 (§12.2.2).
        case outOfOrder
    }

    public private(set) var state: State
    public let callID: String
    public let localTag: String
    public let remoteTag: String
    /// From of our requests without the tag; To of theirs.
    public let local: NameAddress
    public let remote: NameAddress
    public private(set) var localSequence: UInt32
    /// Nil until the other side has sent a request.
    public private(set) var remoteSequence: UInt32?
    public private(set) var routeSet: [NameAddress]
    public private(set) var remoteTarget: URI

    /// §12.1.2: as the caller, from our request and a 101-299 response with a tag. Nil when the response makes no dialog.
    public init?(callerOf request: RequestBuilder, response: Message) {
        guard let status = response.status, (101..<300).contains(status), let to = response.to, let tag = to.tag,
            let localTag = request.from.tag, let target = response.contact, let routes = response.recordRoutes
        else { return nil }
        state = status < 200 ? .early : .confirmed
        (callID, self.localTag, remoteTag) = (request.callID, localTag, tag)
        (local, remote) = (Self.withoutTag(request.from), Self.withoutTag(request.to))
        (localSequence, remoteSequence) = (request.cseq, nil)
        (routeSet, remoteTarget) = (routes.reversed(), target.uri)
    }

    /// Of a 2xx that makes no dialog, since it has no tag or not one Contact as §12.1.2 wants: enough to acknowledge it and to end what its sender
    /// takes for a call, at the URI and by the way of the request. Nil for anything but a 2xx.
    public init?(ending request: RequestBuilder, acceptedBy response: Message) {
        guard let status = response.status, (200..<300).contains(status), let localTag = request.from.tag else { return nil }
        state = .confirmed
        (callID, self.localTag, remoteTag) = (request.callID, localTag, response.to?.tag ?? "")
        (local, remote) = (Self.withoutTag(request.from), Self.withoutTag(request.to))
        (localSequence, remoteSequence) = (request.cseq, nil)
        let recorded = response.recordRoutes ?? []
        (routeSet, remoteTarget) = (recorded.isEmpty ? request.routes : recorded.reversed(), response.contact?.uri ?? request.uri)
    }

    /// §12.1.1: as the callee, from the request that we answer with `localTag`. Nil when it lacks what a dialog needs.
    public init?(calleeOf request: Message, localTag: String, state: State = .early) {
        guard let callID = request.callID, let from = request.from, let to = request.to, let cseq = request.cseq,
            let target = request.contact, let routes = request.recordRoutes
        else { return nil }
        self.state = state
        (self.callID, self.localTag, remoteTag) = (callID, localTag, from.tag ?? "")
        (local, remote) = (Self.withoutTag(to), Self.withoutTag(from))
        (localSequence, remoteSequence) = (0, cseq.number)
        (routeSet, remoteTarget) = (routes, target.uri)
    }

    private static func withoutTag(_ address: NameAddress) -> NameAddress {
        var address = address
        address.parameters.remove("tag")
        return address
    }

    // MARK: What arrives

    /// Whether a request or response of the other side belongs here: Call-ID and both tags (§12.2.2, §12.1.2).
    public func matches(_ message: Message) -> Bool {
        guard message.callID == callID, let from = message.from, let to = message.to else { return false }
        let (mine, theirs) = message.isRequest ? (to.tag, from.tag) : (from.tag, to.tag)
        return mine == localTag && (theirs ?? "") == remoteTag
    }

    /// Whether a matching request has the number of the last one: it was sent again past somebody who knew its transaction and is gone.
    public func isRepetition(_ request: Message) -> Bool {
        guard let cseq = request.cseq, cseq.method != .ack, cseq.method != .cancel else { return false }
        return cseq.number == remoteSequence
    }

    /// Checks the order of a matching request and takes a new remote target from a target refresh (§12.2.2).
    public mutating func receive(_ request: Message) -> Verdict {
        guard let cseq = request.cseq else { return .outOfOrder }
        // ACK and CANCEL bear the number of their INVITE.
        guard cseq.method != .ack, cseq.method != .cancel else { return .accept }
        if let remoteSequence, cseq.number <= remoteSequence { return .outOfOrder }
        remoteSequence = cseq.number
        if Self.refreshesTarget(cseq.method), let contact = request.contact { remoteTarget = contact.uri }
        if cseq.method == .bye { state = .terminated }
        return .accept
    }

    /// A response to a request we sent inside the dialog, or the 2xx that confirms it. On the first 2xx the route set is computed
    /// again (§13.2.2.4); a 481 or 408 ends the dialog (§12.2.1.2).
    public mutating func receive(response: Message) {
        guard let status = response.status, let cseq = response.cseq else { return }
        switch status {
        case 200..<300:
            if Self.refreshesTarget(cseq.method), let contact = response.contact { remoteTarget = contact.uri }
            if state == .early, cseq.method == .invite {
                state = .confirmed
                if let routes = response.recordRoutes { routeSet = routes.reversed() }
            }
            if cseq.method == .bye { state = .terminated }
        case 481, 408:
            state = .terminated
        default:
            break
        }
    }

    /// The first hop towards the other side changed: its flow died and it came back over another (RFC 5626 §4.3). A peer that
    /// is reached without a route stays so.
    public mutating func moveFirstRoute(to route: NameAddress) {
        if !routeSet.isEmpty { routeSet[0] = route }
    }

    /// As the callee: our 2xx is on its way.
    public mutating func confirm() {
        if state == .early { state = .confirmed }
    }

    public mutating func terminate() { state = .terminated }

    private static func refreshesTarget(_ method: Method) -> Bool {
        switch method {
        case .invite, .update, .subscribe, .notify, .refer: true
        default: false
        }
    }

    // MARK: What is sent

    /// The next request inside the dialog (§12.2.1.1); it has no Contact yet.
    public mutating func request(_ method: Method) -> RequestBuilder {
        precondition(
            method != .ack && method != .cancel, "ACK comes from acknowledgement(of:), CANCEL from the transaction layer")
        localSequence += 1
        return build(method, sequence: localSequence)
    }

    /// A request that was sent before, for who goes on with the dialog and sends it again.
    public func request(_ method: Method, again sequence: UInt32) -> RequestBuilder { build(method, sequence: sequence) }

    /// The ACK for the 2xx of the INVITE with that CSeq number (§13.2.2.4).
    public func acknowledgement(of sequence: UInt32) -> RequestBuilder { build(.ack, sequence: sequence) }

    private func build(_ method: Method, sequence: UInt32) -> RequestBuilder {
        var (from, to) = (local, remote)
        from.tag = localTag
        if !remoteTag.isEmpty { to.tag = remoteTag }
        guard let first = routeSet.first, !first.uri.isLooseRouter else {
            var request = RequestBuilder(method, uri: remoteTarget, from: from, to: to, callID: callID, cseq: sequence)
            request.routes = routeSet
            return request
        }
        // A strict router is addressed in the request URI, and the remote target closes the route.
        var request = RequestBuilder(method, uri: first.uri, from: from, to: to, callID: callID, cseq: sequence)
        request.routes = routeSet.dropFirst() + [NameAddress(remoteTarget)]
        return request
    }
}
