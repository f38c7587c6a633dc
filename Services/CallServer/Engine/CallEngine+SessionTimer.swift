import Contracts
import Deadlines
import SIP

/// Session timers (RFC 4028) and the extensions that every message of a dialog names.
extension CallEngine {
    /// 420 when it requires what we do not know (RFC 3261 §8.2.2.3).
    func refuseUnknownExtensions(_ transaction: ServerTransactionID, _ message: Message) -> Bool {
        let known = Self.extensions.split(separator: ", ").map(String.init) + [TrickledCandidates.package]
        let unknown = message.required.filter { !known.contains($0) }
        guard !unknown.isEmpty else { return false }
        var builder = ResponseBuilder(message, 420, toTag: layer.newTag())
        builder.add(.unsupported, unknown.joined(separator: ", "))
        respond(transaction, builder)
        return true
    }

    func verdict(on request: Message, current: SessionTimer?) -> SessionTimer.Verdict {
        guard let terms = settings.session else { return .none }
        return SessionTimer.answer(to: request, terms, current: current)
    }

    /// A re-INVITE or UPDATE that is accepted begins the time anew, or ends its being counted.
    func takeTimer(_ id: String) {
        guard let entry = legs[id], let request = entry.reinvite.flatMap({ layer.request(of: $0) }), request.method != .prack else { return }
        takeTimer(of: request, id)
    }

    func takeTimer(of request: Message, _ id: String) {
        guard let leg = legs[id]?.leg else { return }
        var timer: SessionTimer?
        if case .timer(let agreed, _) = verdict(on: request, current: leg.sip.timer) { timer = agreed }
        let moment = moment()
        legs[id]?.leg.sip.timer = timer
        legs[id]?.leg.sessionBegan(at: moment)
    }

    /// What a 2xx to an INVITE or UPDATE says.
    func extend(_ builder: inout ResponseBuilder, _ leg: Leg) {
        builder.headers += Self.capabilities(trickles: leg.trickles)
        guard let timer = leg.sip.timer else { return }
        builder.add(.sessionExpires, SessionExpires(seconds: timer.seconds, refresher: timer.weRefresh ? .uas : .uac).description)
        // RFC 4028 §9: the phone must know that it is to refresh.
        if !timer.weRefresh { builder.add(.require, "timer") }
    }

    /// What an INVITE or UPDATE of ours says.
    func extend(_ request: inout RequestBuilder, _ leg: Leg, trickles: Bool) {
        request.headers += Self.capabilities(trickles: trickles)
        guard let terms = settings.session else { return }
        let wanted = max(leg.sip.timer?.seconds ?? terms.interval, terms.minimum, leg.sip.minimumSession ?? 0)
        let refresher = leg.sip.timer.map { $0.weRefresh ? SessionExpires.Refresher.uac : .uas }
        request.add(.sessionExpires, SessionExpires(seconds: wanted, refresher: refresher).description)
        let minimum = max(terms.minimum, leg.sip.minimumSession ?? 0)
        // That is what it means when it is not there (RFC 4028 §5).
        if minimum > SessionTimer.leastSeconds { request.add(.minSE, String(minimum)) }
    }

    /// What a 2xx to an INVITE or UPDATE of ours says, no shorter than the Min-SE that was sent.
    func timer(answeredBy response: Message, _ id: String) -> SessionTimer? {
        SessionTimer(answeredBy: response, minimum: max(settings.session?.minimum ?? 0, legs[id]?.leg.sip.minimumSession ?? 0))
    }

    // MARK: Our refreshes

    func prepareRefresh(_ id: String, _ body: String?) {
        guard var dialog = legs[id]?.leg.sip.dialog else { return }
        let request = dialog.request(body == nil ? .update : .invite)
        let sent = SIPState.Sent(name: layer.newName(), sequence: request.cseq)
        legs[id]?.leg.sip.dialog = dialog
        legs[id]?.refreshing = request
        legs[id]?.leg.sip.refresh?.sent = sent
    }

    func refresh(_ id: String, _ body: String?) {
        guard let leg = legs[id]?.leg, var request = legs[id]?.refreshing, let destination = request.destination else {
            return handle(id, .refreshAnswered(code: 500, answer: nil, nil, minimum: nil, wait: .zero))
        }
        legs[id]?.refreshing = nil
        request.contact = contact(of: id)
        request.add(.allow, Self.allowed)
        extend(&request, leg, trickles: leg.trickles)
        if let body {
            request.body = Array(body.utf8)
            request.contentType = "application/sdp"
        }
        let name = leg.sip.refresh?.sent?.name ?? layer.newName()
        purposes[layer.request(request, as: name, to: destination, now: loop.now, into: &outbox)] = .refresh(leg: id, request)
        drain()
    }

    /// For who has taken the call over: the phone takes it for the same request.
    func refreshAgain(_ id: String, _ body: String?) {
        if let leg = legs[id]?.leg, let sent = leg.sip.refresh?.sent {
            legs[id]?.refreshing = leg.sip.dialog?.request(body == nil ? .update : .invite, again: sent.sequence)
        }
        refresh(id, body)
    }

    func refreshAnswered(_ id: String, _ request: RequestBuilder, _ response: Message, _ status: Int) {
        if status < 300 {
            if request.method == .invite { acknowledge(id, reinvite: request) }
            legs[id]?.leg.sip.dialog?.receive(response: response)
            if response.contains(.allow) { legs[id]?.leg.sip.takesUpdate = response.allowed.contains(.update) }
        }
        handle(
            id,
            .refreshAnswered(
                code: status, answer: sessionDescription(of: response), timer(answeredBy: response, id), minimum: response.minSE,
                wait: waitAfterCollision(id)))
    }
}
