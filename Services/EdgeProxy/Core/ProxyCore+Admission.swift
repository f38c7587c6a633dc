import Addresses
import SIP

/// What stands before all work for a request from outside (RELIABILITY §4.8): dialogs go past it, strangers do not.
extension ProxyCore {
    /// Nil: it may go on. `recorded` is the server of a route that we signed.
    func refusal(
        _ message: borrowing MessageView, _ head: RequestHead, _ arrival: Arrival, _ recorded: SocketAddress?,
        _ trunks: Trunks, _ admission: inout Admission
    ) -> AdmissionReason? {
        let ends = head.method == .ack || head.method == .cancel
        // A To tag proves nothing, and a route without one only that its dialog is still to come.
        if recorded != nil, ends || isWithinDialog(message, head) { return nil }
        var source = admission.source(arrival.source.address)
        // A trunk has no rate but its own; a loop that is late spares nobody.
        if !trunks.isEmpty, head.method != .register, trunks.trunk(from: arrival) != nil { source.isExempt = true }
        if let agent = message.first(.userAgent)?.valueRange, admission.isScanner(message.bytes.extracting(agent), source) {
            return .scanner
        }
        if head.method == .invite, admission.hasInvites(now: arrival.received) {
            let name = admission.name(transaction(message, head), of: source)
            if admission.isRepeated(invite: name, now: arrival.received) { return nil }
        }
        let kind = ends ? .ending : requestClass(message, head, arrival, source, admission)
        let key = admission.isLate ? admission.name(message.bytes.extracting(head.callID)) : 0
        return admission.refuse(kind, from: source, key: key, now: arrival.received)
    }

    /// A REGISTER, and an OPTIONS for ourselves, are in no dialog, whatever route they show.
    private func isWithinDialog(_ message: borrowing MessageView, _ head: RequestHead) -> Bool {
        guard head.to.tag != nil else { return false }
        switch head.method {
        case .register: return false
        case .options: return !isForEdge(message, head)
        default: return true
        }
    }

    private func requestClass(
        _ message: borrowing MessageView, _ head: RequestHead, _ arrival: Arrival, _ source: Source, _ admission: borrowing Admission
    ) -> RequestClass {
        switch head.method {
        case .invite: isEmergency(message, head.uri, admission) ? .emergency : .invite
        case .register: admission.isLate && isRefresh(message, head, arrival, source, admission) ? .refresh : .registration
        default: .other
        }
    }

    /// RFC 5031 §4.2, and the numbers of the country.
    func isEmergency(_ message: borrowing MessageView, _ uri: URI.Layout, _ admission: borrowing Admission) -> Bool {
        if let user = uri.user { return admission.emergencies.contains(user: message.bytes.extracting(user)) }
        guard let opaque = uri.opaque, case .request(_, let range) = message.start else { return false }
        if uri.scheme == .tel { return admission.emergencies.contains(telephone: message.bytes.extracting(opaque)) }
        return EmergencyService.isNamed(by: message.bytes.extracting(range))
    }

    /// Whether the account authenticated from this source before; only a loop that is late wants to know.
    private func isRefresh(
        _ message: borrowing MessageView, _ head: RequestHead, _ arrival: Arrival, _ source: Source, _ admission: borrowing Admission
    ) -> Bool {
        guard let from = message.message().from?.uri, let user = from.decodedUser else { return false }
        return admission.isHome(admission.account(user, domain(of: from)), source, now: arrival.received)
    }

    /// A stranger's request for a domain that nobody has here, or that is still to be asked for.
    func doubt(_ domain: String, _ arrival: Arrival, _ admission: inout Admission) -> Decision? {
        let source = admission.source(arrival.source.address)
        guard domain != configuration.domain, !admission.isTrusted(source, now: arrival.received) else { return nil }
        switch admission.domains.find(domain, key: admission.name(domain), now: arrival.received) {
        case .known: return nil
        case .unknown: return .turnAway(.unknownDomain)
        case .doubtful: return .turnAway(.domainDoubt)
        case .asked: return .awaitDomain(domain)
        }
    }

    // MARK: Answers

    /// Bytes that an answer may have; nil: as many as it takes. A connection can answer nobody but its peer.
    func longestAnswer(_ message: borrowing MessageView, _ arrival: Arrival, _ admission: borrowing Admission) -> Int? {
        guard !arrival.transport.isReliable else { return nil }
        return admission.longestAnswer(
            to: message.bytes.count, from: admission.source(arrival.source.address), now: arrival.received)
    }

    /// The answer to a request that is not worth one by itself: from strangers as many as their rate admits.
    func refuse(
        _ message: borrowing MessageView, _ arrival: Arrival, _ refusal: Refusal, _ admission: inout Admission
    ) -> Decision {
        let source = admission.source(arrival.source.address)
        if let reason = admission.refuse(.other, from: source, key: 0, now: arrival.received) { return .turnAway(reason) }
        return refuse(message, arrival, refusal)
    }

    /// What a request that was not admitted is told.
    func turnAway(_ message: borrowing MessageView, _ arrival: Arrival, _ status: Int, retryAfter: Int?) -> Decision {
        refuse(message, arrival, Refusal(status), adding: retryAfter.map { [Header(.retryAfter, String($0))] } ?? [])
    }
}

extension Decision {
    /// The shorter answer where this one is longer than it may be.
    func shortened(to longest: Int?, or shorter: () -> Decision) -> Decision {
        guard let longest, case .replyOutside(let bytes, _, _) = self, bytes.count > longest else { return self }
        return shorter()
    }
}
