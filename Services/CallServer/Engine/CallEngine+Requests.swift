import Addresses
import Bytes
import Contracts
import Deadlines
import SIP
import ServiceKit

/// What arrives over SIP, turned into events of legs.
extension CallEngine {
    func receive(_ event: SIP.Outbox.Event) {
        switch event {
        case .request(let message, let transaction, let source):
            receiveRequest(message, transaction, from: source)
        case .response(let message, let transaction):
            receiveResponse(message, transaction)
        case .timedOut(let transaction):
            failed(transaction, code: 408)
        case .transportFailed(let transaction):
            failed(transaction, code: 503)
        case .ack(let message, let transaction):
            receiveAcknowledgement(message, transaction)
        case .cancel(let message, let transaction):
            receiveCancel(message, transaction)
        case .unacknowledged(let transaction):
            if let id = invites[transaction] { handle(id, .dialogLost) }
        case .strayResponse(let message, let transaction):
            receiveStray(message, transaction)
        }
    }

    /// What an INVITE without an offer is owed comes with the ACK (RFC 3261 §13.2.1), or not at all: there is one ACK.
    private func receiveAcknowledgement(_ message: Message, _ transaction: ServerTransactionID?) {
        let invite = transaction.flatMap { layer.request(of: $0) }
        let id = transaction.flatMap { invites[$0] }
        if let transaction { acknowledged(transaction) }
        if let answer = sessionDescription(of: message) {
            if let owner = owner(of: message) { handle(owner, .answeredInAck(answer)) }
        } else if let id, let invite, sessionDescription(of: invite) == nil {
            handle(id, .unansweredInAck)
        }
    }

    /// The CANCEL of the INVITE ends the call; that of a re-INVITE only takes the offer back (RFC 3261 §14.1).
    private func receiveCancel(_ message: Message, _ transaction: ServerTransactionID) {
        guard let id = invites[transaction] else { return giveUpBringing(transaction) }
        guard legs[id]?.reinvite == transaction else {
            legs[id]?.leg.sip.theirCause = message.releaseCause
            return handle(id, .canceled)
        }
        handle(id, .reinviteCanceled)
    }

    /// Given up while the call it names is being brought: it has its 487 at once (RFC 3261 §9.2), and takes nobody's place when that is here.
    private func giveUpBringing(_ transaction: ServerTransactionID) {
        guard bringing[transaction] == false, let invite = layer.request(of: transaction) else { return }
        bringing[transaction] = true
        answer(transaction, invite, 487)
    }

    private func receiveRequest(_ message: Message, _ transaction: ServerTransactionID, from source: SocketAddress) {
        guard let method = message.method else { return }
        // Only who calls can name a dialog (RFC 3891 §3, RFC 3911 §4).
        guard method == .invite || !namesDialog(message) else { return answer(transaction, message, 400) }
        if message.to?.tag != nil {
            receiveInDialog(message, method, transaction, from: source)
            return
        }
        switch method {
        case .invite:
            receiveInvite(message, transaction, from: source)
        case .options:
            // Who asks whether to send calls here is told not to.
            answer(transaction, message, runtime.health.isDraining ? 503 : 200)
        default:
            answer(transaction, message, method == .bye ? 481 : 405)
        }
    }

    private func receiveInvite(_ message: Message, _ transaction: ServerTransactionID, from source: SocketAddress) {
        guard let customer = message.value(named: PrivateHeader.customer), !customer.isEmpty else {
            answer(transaction, message, 403)
            return
        }
        guard let callID = message.callID, let uri = message.requestURI,
            let number = uri.emergencyService ?? uri.calledUser
        else {
            answer(transaction, message, 404)
            return
        }
        guard !refuseUnknownExtensions(transaction, message) else { return }
        // Who calls for help may say where it is in whatever form (RFC 6442): that it is not read here is no reason to refuse.
        let isUrgent = uri.emergencyService != nil || number == settings.emergencyNumber
        guard isUrgent || !refuseUnknownBody(transaction, message) else { return }
        guard let named = named(by: message), isElsewhere(named) || isSeating(named) else {
            return begin(message, transaction, from: source, customer, callID, uri, number)
        }
        bringing[transaction] = false
        sayTrying(transaction)
        Task {
            if self.isElsewhere(named) { await self.bring(named, customer: customer) }
            await self.untilSeated(named)
            guard self.bringing.removeValue(forKey: transaction) == false else { return }
            self.begin(message, transaction, from: source, customer, callID, uri, number)
            self.drain()
        }
    }

    /// The 100 of an INVITE whose named call takes its time (RFC 3261 §17.2.1): without a response its phone may not give up (§9.1). Not at once:
    /// as long as nobody remembers the INVITE the phone had better repeat it.
    private func sayTrying(_ transaction: ServerTransactionID) {
        loop.schedule(at: loop.now + Self.tryingPause) {
            self.assumeIsolated {
                guard $0.bringing[transaction] == false else { return }
                $0.layer.trying(transaction, into: &$0.outbox)
                $0.drain()
            }
        }
    }

    private static let tryingPause = Interval.milliseconds(200)

    /// A new call. Whose place it takes is here, or nowhere.
    private func begin(
        _ message: Message, _ transaction: ServerTransactionID, from source: SocketAddress, _ customer: String, _ callID: String, _ uri: URI,
        _ number: String
    ) {
        let timer: SessionTimer?
        switch verdict(on: message, current: nil) {
        case .none: timer = nil
        case .timer(let agreed, _): timer = agreed
        case .tooSmall: return answer(transaction, message, 422)
        }
        let place: TakenPlace
        do throws(PlaceRefusal) { place = try self.place(wantedBy: message, customer: customer) } catch {
            return answer(transaction, message, error.code)
        }
        // The same request through another path (RFC 3261 §8.2.2.2).
        guard legsByCallID[callID] == nil else {
            answer(transaction, message, 482)
            return
        }
        let isUrgent = uri.emergencyService != nil || number == settings.emergencyNumber
        guard isUrgent || takesNewCalls || place.first != nil else {
            Counters.refused.add()
            answer(transaction, message, 503)
            return
        }
        guard legs.count < settings.maximumLegs, isUrgent || !congestion.isThere(at: loop.now), let placement = self.place(beside: place.relay) else {
            Counters.refused.add()
            answer(transaction, message, 503)
            return
        }
        let id = runtime.newID("call")
        let caller = message.addresses(.pAssertedIdentity)?.first?.uri ?? message.from?.uri
        // A trunk's callers are of anywhere; the numbers it calls are its customer's.
        let domain = message.value(named: PrivateHeader.domain) ?? caller?.host ?? settings.domain
        // Nobody else's numbers are reached from here.
        guard uri.isOf(domain) else {
            answer(transaction, message, 404)
            return
        }
        var record = Call(
            id: id, customerID: customer, direction: .inbound, status: .queued, from: caller?.calledUser ?? "anonymous", to: number,
            createdAt: moment().time)
        record.sipCallID = callID
        record.trunk = message.value(named: PrivateHeader.trunk)
        guard let dialog = Dialog(calleeOf: message, localTag: layer.newTag()) else {
            answer(transaction, message, 400)
            return
        }
        let dialled = dialled(uri, number).text
        var state = SIPState(domain: domain, dialled: dialled, dialog: dialog, invite: SIPState.Received(message, from: source))
        (state.timer, state.takesUpdate) = (timer, message.allowed.contains(.update))
        state.hops = message.maxForwards
        state.provisionals = provisionals(of: message)
        var leg = Leg(
            inbound: record, epoch: 1, placement: placement, seat: ownSeat(of: id, placement), sip: state, limits: settings.limits)
        // Who takes another's place is a part of the call that counts already (docs/limits.md).
        leg.counted = Leg.Counted(isCall: place.replaced == nil, trunk: record.trunk, destination: number, isExempt: isUrgent)
        leg.arrivedWith = ArrivedHeaders.of(message)
        if message.asksForPrivacy { leg.isPrivate = true }
        let name = message.addresses(.pAssertedIdentity)?.first?.display ?? message.from?.display
        place.apply(to: &leg)
        leg.callerName = name.map { String(String.UnicodeScalarView($0.unicodeScalars.prefix(Leg.longestName))) }
        legs[id] = Entry(leg: leg, invite: transaction, untried: [Untried(transaction: transaction, before: leg.revision)])
        legsByCallID[callID] = (id, 0)
        invites[transaction] = id
        Counters.calls.add()
        Counters.live.set(legs.count)
        admit(id)
        handle(id, .invited(offer: sessionDescription(of: message), number: dialled))
    }

    private func dialled(_ uri: URI, _ number: String) -> DialledNumber {
        // Who calls for help means the number of this country, whatever the phone calls it (RFC 5031 §1).
        guard uri.emergencyService == nil || settings.emergencyNumber.isEmpty else {
            return DialledNumber(user: settings.emergencyNumber)
        }
        // A GRUU names one phone of the extension (RFC 5627 §3.1).
        let parameters = uri.parameters
        return DialledNumber(user: number, isGRUU: parameters.contains("gr"), gr: parameters["gr"])
    }

    private func receiveInDialog(_ message: Message, _ method: Method, _ transaction: ServerTransactionID, from source: SocketAddress) {
        guard let id = owner(of: message), var dialog = legs[id]?.leg.sip.dialog else {
            return receiveInEarlyDialog(message, method, transaction, from: source)
        }
        let isRepetition = legs[id]?.former != nil && dialog.isRepetition(message)
        guard dialog.receive(message) == .accept else {
            guard isRepetition, legs[id]?.leg.sip.answer(to: message) == nil else { return answerAgain(id, transaction, message) }
            return receiveAgain(message, method, transaction, id)
        }
        // The edge says over which flow it came: a phone that came back over another connection is reached there from now on.
        if let flow = message.value(named: PrivateHeader.flow).flatMap({ NameAddress($0) }) { dialog.moveFirstRoute(to: flow) }
        legs[id]?.leg.sip.dialog = dialog
        guard !refuseUnknownExtensions(transaction, message), !refuseUnknownBody(transaction, message) else { return }
        if message.contains(.allow) { legs[id]?.leg.sip.takesUpdate = message.allowed.contains(.update) }
        switch method {
        case .bye:
            legs[id]?.leg.sip.theirCause = message.releaseCause
            // Once it is answered the phone is gone: that is known first to who may have to tell the others.
            handle(id, .byed)
            answerWhenSaved(id, transaction, message)
        case .invite:
            guard take(message, transaction, from: source, for: id) else { return }
            if let before = legs[id]?.leg.revision { legs[id]?.untried.append(Untried(transaction: transaction, before: before)) }
            invites[transaction] = id
            handle(id, .reinvited(offer: sessionDescription(of: message)))
        case .update: receiveUpdate(message, transaction, from: source, for: id, early: nil)
        case .refer: receiveRefer(message, transaction, id)
        case .subscribe: receiveSubscribe(message, transaction, id)
        case .notify: receiveNotify(message, transaction, id)
        case .message: receiveMessage(message, transaction, id)
        case .prack: receivePrack(message, transaction, from: source, for: id)
        case .info:
            receiveInfo(message, transaction, id)
        case .options:
            answer(transaction, message, 200)
        default:
            answer(transaction, message, 405)
        }
    }

    /// Sent again past a predecessor that has died: what it did with it stands in the snapshot, and its answer may be lost. An INVITE or
    /// UPDATE that is not answered is one of the snapshot's transactions, and does not come here.
    private func receiveAgain(_ message: Message, _ method: Method, _ transaction: ServerTransactionID, _ id: String) {
        switch method {
        case .bye, .info, .prack, .options: answer(transaction, message, 200)
        case .message: receiveMessage(message, transaction, id)
        case .refer:
            guard legs[id]?.refer == nil else { return answer(transaction, message, 500) }
            guard legs[id]?.leg.referral?.id == message.cseq?.number else { return receiveRefer(message, transaction, id) }
            legs[id]?.refer = transaction
            respondToRefer(id, 202)
        default: answer(transaction, message, 500)
        }
    }

    /// A key, something of an info package, or an INFO without content, which some phones keep a dialog alive with.
    func receiveInfo(_ message: Message, _ transaction: ServerTransactionID, _ id: String) {
        if let package = message.value(named: "Info-Package") { return receivePackage(package, message, transaction, id) }
        guard !message.bodyRange.isEmpty else { return answer(transaction, message, 200) }
        do throws(PressedKey.Mistake) {
            let key = try PressedKey(contentType: message.contentType ?? "", body: message.body)
            answer(transaction, message, 200)
            handle(id, .keyInMessage(key.digit, duration: key.duration))
        } catch {
            answer(transaction, message, error == .unsupported ? 415 : 400)
        }
    }

    /// The leg whose dialog a request belongs to; both tags must fit (V14).
    private func owner(of message: Message) -> String? {
        guard let callID = message.callID, let found = legsByCallID[callID], let dialog = legs[found.leg]?.leg.sip.dialog,
            dialog.matches(message)
        else { return nil }
        return found.leg
    }

    // MARK: Answers

    func answer(_ transaction: ServerTransactionID, _ request: Message, _ code: Int) {
        var builder = ResponseBuilder(request, code, toTag: layer.newTag())
        switch code {
        case 503: builder.add(.retryAfter, String(Int.random(in: 5...30)))
        case 200, 405:
            // A text outside calls has nobody here to read it.
            let isTextOutside = request.method == .message && request.to?.tag == nil
            builder.add(.allow, isTextOutside ? CallEngine.allowedBesideTexts : CallEngine.allowed)
            if request.method == .options { builder.headers += Self.capabilities(trickles: true) }
        case 422: if let terms = settings.session { builder.add(.minSE, String(terms.minimum)) }
        case 500: builder.add(.retryAfter, String(Int.random(in: 0...10)))
        // RFC 3261 §21.4.13: what is understood instead.
        case 415 where request.method == .info: builder.add(.accept, Self.contents(acceptedIn: request))
        case 415 where request.method == .message: builder.add(.accept, TextMessage.contentType)
        case 415: builder.headers += Self.whatIsAccepted
        // RFC 6665 §8.2.2.
        case 489: builder.add(.allowEvents, "refer")
        // RFC 6086 §4.2.2.
        case 469:
            builder.reason = "Bad Info Package"
            builder.headers.append(Header("Recv-Info", packages(in: request)))
        default: break
        }
        respond(transaction, builder)
    }

    func respond(_ transaction: ServerTransactionID, _ builder: ResponseBuilder) {
        remember(builder)
        layer.respond(transaction, builder, now: loop.now, into: &outbox)
    }

    static let allowed = "\(allowedBesideTexts), MESSAGE"
    static let allowedBesideTexts = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, SUBSCRIBE"
    /// What `Supported` says and `Require` may ask for; where there is ICE, `trickle-ice` too.
    static let extensions = "100rel, timer, replaces, join, norefersub"

    // MARK: Places

    /// The least loaded relay and mixer; nil when one of the kinds is missing. `beside`: a relay that is taken while it has room, for two who
    /// will be linked there.
    func place(beside neighbour: String? = nil) -> Leg.Placement? {
        let spread = UInt64.random(in: .min ... .max)
        let beside = neighbour.flatMap { runtime.fleet.roomy(.mediaRelay, instance: $0) }
        guard let relay = beside ?? runtime.fleet.place(.mediaRelay, spread: spread),
            let mixer = runtime.fleet.place(.conferenceServer, pool: "calls", spread: spread)
        else { return nil }
        return Leg.Placement(relay: relay.instance, mixer: mixer.instance)
    }

    func ownSeat(of id: String, _ placement: Leg.Placement) -> Leg.Seat {
        let suffix = id.drop { $0 != "_" }.dropFirst()
        return Leg.Seat(roomID: "room_\(suffix)", participantID: "part_\(suffix)", instance: placement.mixer)
    }
}

/// Headers that only the edge and the services speak; the edge strips them from what comes from outside.
enum PrivateHeader {
    static let customer = "X-Tandem-Customer"
    /// With a request of a trunk: the domain of its customer.
    static let domain = "X-Tandem-Domain"
    /// With a request of a trunk: its name.
    static let trunk = "X-Tandem-Trunk"
    /// On requests in a dialog: the route to the flow they came over.
    static let flow = "X-Tandem-Flow"
}
