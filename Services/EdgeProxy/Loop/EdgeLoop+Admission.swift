import Addresses
import Deadlines
import SIP

/// What became of those who were not admitted, and what their offences lead to (RELIABILITY §4.8).
extension EdgeLoop {
    /// A counter, and an answer only where one is owed.
    func turnAway(_ reason: AdmissionReason, _ message: borrowing MessageView, _ arrival: Arrival) {
        Traffic.count(reason)
        let source = source(of: arrival)
        if reason == .scanner { committed(.scanner, by: source, arrival) }
        guard let status = reason.status(overConnection: arrival.transport.isReliable), message.method != .ack,
            admission.mayTell(source, now: loop.now)
        else { return }
        perform(core.turnAway(message, arrival, status, retryAfter: status == 503 ? retryAfter : nil), message, arrival)
    }

    /// Nobody can serve it now.
    func refuseForNow(_ message: borrowing MessageView, _ arrival: Arrival) {
        perform(core.turnAway(message, arrival, 503, retryAfter: retryAfter), message, arrival)
    }

    private var retryAfter: Int { settings.retryAfter.seconds(random: .random(in: 0 ... .max)) }

    /// A trunk known by address or certificate is no stranger: it is told, and not banned for what others do at its address.
    private func source(of arrival: Arrival) -> Source {
        var source = admission.source(arrival.source.address)
        let trunks = placement.directory.trunks
        if !trunks.isEmpty, trunks.trunk(from: arrival) != nil { source.isExempt = true }
        return source
    }

    /// Whoever is on a connection is there; of a datagram only an answered nonce shows that, and `isProven` says so.
    func committed(_ offence: Offence, by source: Source, _ arrival: Arrival, isProven: Bool = false) {
        let evidence: Evidence = isProven || arrival.transport.isReliable ? .proven : .datagram
        guard !self.source(of: arrival).isExempt, let ban = admission.committed(offence, by: source, evidence, now: loop.now) else {
            return
        }
        bans.began(ban, for: offence)
    }

    func hear(_ news: BanBoard.News) {
        switch news {
        case .banned(let ban): admission.adopt(ban, now: loop.now)
        case .vouched(let block): admission.vouched(for: block, now: loop.now)
        }
    }

    /// Something that is no SIP message came from there.
    func receivedMalformed(_ arrival: Arrival) {
        // The source of a datagram is not looked at: it cannot be banned for one.
        guard arrival.transport.isReliable else { return }
        committed(.malformed, by: admission.source(arrival.source.address), arrival)
    }

    /// Whether an answer may leave: one that is longer than it may be would flood whoever's address it was asked from (V17).
    func mayLeave(_ answer: Int, to request: borrowing MessageView, _ arrival: Arrival) -> Bool {
        guard let longest = core.longestAnswer(request, arrival, admission), answer > longest else { return true }
        Traffic.count(.amplification)
        return false
    }

    // MARK: Overload

    /// Nil: the request may go to the server. Only a call that begins is looked at; an edge alone leaves its farm to itself.
    func refuseCall(
        _ message: borrowing MessageView, _ forwarding: borrowing Forwarding, to destination: Destination, _ arrival: Arrival
    ) -> AdmissionReason? {
        guard core.configuration.alone == nil, case .routes = forwarding.recording, case .request(.invite, let uri) = message.start,
            case .server(let server) = destination, let callID = message.callID, let hop = forwarding.hop
        else { return nil }
        let call = Admission.Call(
            transaction: admission.name(hop.branch.transaction, of: admission.source(arrival.source.address)),
            callID: admission.name(message.bytes.extracting(callID)), server: admission.name(server),
            customer: forwarding.identity.map { admission.name($0.customer) },
            isEmergency: URI.Layout(message.bytes, uri).map { core.isEmergency(message, $0, admission) } ?? false)
        return admission.refuse(call, now: loop.now)
    }

    /// A response from inside: the first to an INVITE tells how long its server took.
    func noteAnswer(_ message: borrowing MessageView) {
        guard core.configuration.alone == nil, message.cseq?.method == .invite, let callID = message.callID else { return }
        admission.answered(call: admission.name(message.bytes.extracting(callID)), now: loop.now)
    }

    /// How late the loop comes to this very timer says how late it is with everything.
    func measureLag(planned: Instant) {
        let now = loop.now
        admission.measured(lag: now - planned, now: now)
        shed.set(Int(admission.shed * 1_000))
        let next = now + LoopLag.period
        loop.schedule(at: next) { self.measureLag(planned: next) }
    }
}
