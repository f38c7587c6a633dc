import Addresses
import Bytes
import Contracts
import SIP
import ServiceKit

/// What arrives over SIP, turned into events of legs.
extension CallEngine {
    func receive(_ event: SIP.Outbox.Event) {
        switch event {
        case .request(let message, let transaction, source: _):
            receiveRequest(message, transaction)
        case .response(let message, let transaction):
            receiveResponse(message, transaction)
        case .timedOut(let transaction):
            failed(transaction, code: 408)
        case .transportFailed(let transaction):
            failed(transaction, code: 503)
        case .ack(let message, _):
            guard !message.bodyRange.isEmpty, let owner = owner(of: message) else { return }
            handle(owner, .answeredInAck(String(decoding: message.body, as: UTF8.self)))
        case .cancel(_, let transaction):
            receiveCancel(transaction)
        case .unacknowledged(let transaction):
            if let id = invites[transaction] { handle(id, .dialogLost) }
        case .strayResponse(let message, let transaction):
            receiveStray(message, transaction)
        }
    }

    /// The CANCEL of the INVITE ends the call; that of a re-INVITE only takes the offer back (RFC 3261 §14.1).
    private func receiveCancel(_ transaction: ServerTransactionID) {
        guard let id = invites[transaction] else { return }
        guard legs[id]?.reinvite == transaction else { return handle(id, .canceled) }
        respondToReinvite(id, code: 487, body: nil)
        handle(id, .reinviteCanceled)
    }

    private func receiveRequest(_ message: Message, _ transaction: ServerTransactionID) {
        guard let method = message.method else { return }
        if message.to?.tag != nil {
            receiveInDialog(message, method, transaction)
            return
        }
        switch method {
        case .invite:
            receiveInvite(message, transaction)
        case .options:
            answer(transaction, message, 200)
        default:
            answer(transaction, message, method == .bye ? 481 : 405)
        }
    }

    private func receiveInvite(_ message: Message, _ transaction: ServerTransactionID) {
        guard let customer = message.value(named: PrivateHeader.customer), !customer.isEmpty else {
            answer(transaction, message, 403)
            return
        }
        guard let callID = message.callID, let uri = message.requestURI,
            let number = uri.emergencyService ?? uri.telephoneNumber ?? uri.user, !number.isEmpty
        else {
            answer(transaction, message, 404)
            return
        }
        guard message.required.isEmpty else {
            var builder = ResponseBuilder(message, 420, toTag: layer.newTag())
            builder.add(.unsupported, message.required.joined(separator: ", "))
            respond(transaction, builder)
            return
        }
        // The same request through another path (RFC 3261 §8.2.2.2).
        guard legsByCallID[callID] == nil else {
            answer(transaction, message, 482)
            return
        }
        guard legs.count < settings.maximumLegs, let placement = place() else {
            Counters.refused.add()
            answer(transaction, message, 503)
            return
        }
        let id = runtime.newID("call")
        let caller = message.addresses(.pAssertedIdentity)?.first?.uri ?? message.from?.uri
        // A trunk's callers are of anywhere; the numbers it calls are its customer's.
        let domain = message.value(named: PrivateHeader.domain) ?? caller?.host ?? settings.domain
        // An address as the domain means the caller's own; nobody else's numbers are reached from here.
        guard uri.opaque != nil || IPAddress(uri.host) != nil || ASCII.equalsIgnoringCase(uri.host, domain) else {
            answer(transaction, message, 404)
            return
        }
        var record = Call(
            id: id, customerID: customer, direction: .inbound, status: .queued, from: caller?.user ?? "anonymous", to: number,
            createdAt: moment().time)
        record.sipCallID = callID
        guard let dialog = Dialog(calleeOf: message, localTag: layer.newTag()) else {
            answer(transaction, message, 400)
            return
        }
        let state = SIPState(domain: domain, dialog: dialog)
        var leg = Leg(
            inbound: record, epoch: 1, placement: placement, seat: ownSeat(of: id, placement), sip: state, limits: settings.limits)
        leg.arrivedWith = ArrivedHeaders.of(message)
        let name = message.addresses(.pAssertedIdentity)?.first?.display ?? message.from?.display
        leg.callerName = name.map { String(String.UnicodeScalarView($0.unicodeScalars.prefix(Leg.longestName))) }
        legs[id] = Entry(leg: leg, invite: transaction)
        legsByCallID[callID] = (id, 0)
        invites[transaction] = id
        Counters.calls.add()
        Counters.live.set(legs.count)
        handle(id, .invited(offer: sessionDescription(of: message), number: dialled(uri, number).text))
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

    private func receiveInDialog(_ message: Message, _ method: Method, _ transaction: ServerTransactionID) {
        guard let id = owner(of: message), var dialog = legs[id]?.leg.sip.dialog else {
            answer(transaction, message, 481)
            return
        }
        let verdict = dialog.receive(message)
        guard verdict == .accept else {
            answer(transaction, message, 500)
            return
        }
        // The edge says over which flow it came: a phone that came back over another connection is reached there from now on.
        if let flow = message.value(named: PrivateHeader.flow).flatMap({ NameAddress($0) }) { dialog.moveFirstRoute(to: flow) }
        legs[id]?.leg.sip.dialog = dialog
        switch method {
        case .bye:
            answer(transaction, message, 200)
            handle(id, .byed)
        case .invite:
            guard legs[id]?.reinvite == nil else {
                answer(transaction, message, 491)
                return
            }
            legs[id]?.reinvite = transaction
            invites[transaction] = id
            handle(id, .reinvited(offer: sessionDescription(of: message)))
        case .info:
            receiveInfo(message, transaction, id)
        case .options:
            answer(transaction, message, 200)
        default:
            answer(transaction, message, 405)
        }
    }

    /// A key, or an INFO without content, which some phones keep a dialog alive with.
    private func receiveInfo(_ message: Message, _ transaction: ServerTransactionID, _ id: String) {
        // RFC 6086 §4.2.2: none of the packages is known here.
        guard message.value(named: "Info-Package") == nil else { return answer(transaction, message, 469) }
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

    func sessionDescription(of message: Message) -> String? {
        guard !message.bodyRange.isEmpty else { return nil }
        return String(decoding: message.body, as: UTF8.self)
    }

    // MARK: Responses

    private func receiveResponse(_ message: Message, _ transaction: ClientTransactionID) {
        guard let status = message.status, case .invite(let id, let branch)? = purposes[transaction] else {
            guard let status = message.status, status >= 200 else { return }
            if case .move(let id, let session, let request)? = purposes[transaction] {
                purposes[transaction] = nil
                return moveAnswered(id, session, request, message, status)
            }
            switch purposes.removeValue(forKey: transaction) {
            case .abandoned(let request)? where status < 300:
                guard var dialog = Dialog(callerOf: request, response: message) else { return }
                hangUp(&dialog)
            case .goodbye(let goodbye?)? where status == 430:
                goodbyeFailed(goodbye.request, goodbye.rerouting)
            default:
                break
            }
            return
        }
        switch status {
        case 100:
            break
        case 101..<200:
            handle(id, .rang(branch: branch))
        case 200..<300:
            purposes[transaction] = nil
            legs[id]?.successes[branch] = message
            if let request = legs[id]?.requests[branch], legs[id]?.leg.dial?.winner == nil, legs[id]?.leg.isEnded == false {
                legs[id]?.leg.sip.dialog = Dialog(callerOf: request, response: message)
                legs[id]?.leg.record.sipCallID = message.callID
            }
            handle(id, .accepted(branch: branch, answer: sessionDescription(of: message)))
        default:
            purposes[transaction] = nil
            if status == 430, inviteFailed(id, branch: branch) { return }
            handle(id, .refused(branch: branch, code: status))
        }
    }

    private func failed(_ transaction: ClientTransactionID, code: Int) {
        if case .move(let id, let session, _)? = purposes[transaction] {
            purposes[transaction] = nil
            return handle(id, .moveRefused(session: session, code: code, wait: .zero))
        }
        guard case .invite(let id, let branch)? = purposes.removeValue(forKey: transaction) else { return }
        // Nothing came back: what may still come is not ours to answer.
        handle(id, .refused(branch: branch, code: code))
    }

    /// A repeated 2xx wants its ACK again; one from another fork is acknowledged and hung up (RFC 3261 §13.2.2.4).
    private func receiveStray(_ message: Message, _ transaction: ClientTransactionID?) {
        guard let status = message.status, (200..<300).contains(status), message.cseq?.method == .invite,
            let callID = message.callID, let found = legsByCallID[callID], let entry = legs[found.leg]
        else { return }
        if let dialog = entry.leg.sip.dialog, dialog.callID == callID, message.to?.tag == dialog.remoteTag {
            guard let (request, destination) = entry.acknowledgement else { return }
            layer.acknowledge(request, to: destination, into: &outbox)
        } else if let request = entry.requests[found.branch], var dialog = Dialog(callerOf: request, response: message) {
            hangUp(&dialog)
        }
    }

    // MARK: Answers

    func answer(_ transaction: ServerTransactionID, _ request: Message, _ code: Int) {
        var builder = ResponseBuilder(request, code, toTag: layer.newTag())
        switch code {
        case 503: builder.add(.retryAfter, String(Int.random(in: 5...30)))
        case 200, 405: builder.add(.allow, CallEngine.allowed)
        // RFC 3261 §21.4.13: what is understood instead.
        case 415: builder.add(.accept, PressedKey.contentTypes)
        // RFC 6086 §4.2.2.
        case 469:
            builder.reason = "Bad Info Package"
            builder.headers.append(Header("Recv-Info", ""))
        default: break
        }
        respond(transaction, builder)
    }

    func respond(_ transaction: ServerTransactionID, _ builder: ResponseBuilder) {
        layer.respond(transaction, builder, now: loop.now, into: &outbox)
    }

    static let allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"

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
    /// On requests in a dialog: the route to the flow they came over.
    static let flow = "X-Tandem-Flow"
}
