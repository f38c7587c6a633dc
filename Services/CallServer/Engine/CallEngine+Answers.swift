import Contracts
import SIP

/// Answers to requests of a phone within its dialogs, and the same again for a request whose answer was lost.
extension CallEngine {
    /// To an offer, a refresh, a PRACK or a REFER.
    func response(to request: Message, _ leg: Leg, code: Int, body: String?) -> ResponseBuilder {
        var builder = ResponseBuilder(request, code)
        switch request.method {
        case .invite?, .update?:
            guard code < 300 else { break }
            builder.contact = contact(of: leg.record.id)
            builder.add(.allow, Self.allowed)
            extend(&builder, leg)
        case .refer?:
            guard code < 300 else { break }
            builder.contact = contact(of: leg.record.id)
            if request.value(named: "Refer-Sub")?.lowercased().hasPrefix("false") == true { builder.headers.append(Header("Refer-Sub", "false")) }
        default: break
        }
        // RFC 3261 §14.2.
        if code == 500 { builder.add(.retryAfter, String(Int.random(in: 0...10))) }
        attach(body, to: &builder)
        return builder
    }

    /// Tells a trunk who answers, or is rung (RFC 3325 §9.1): the edge takes it away where the trunk is not one to be told.
    func identify(_ builder: inout ResponseBuilder, _ leg: Leg) {
        guard leg.record.trunk != nil else { return }
        builder.add(.pAssertedIdentity, NameAddress(URI(calling: leg.connectedNumber, at: leg.sip.domain)).description)
        if leg.bridgedChild.flatMap({ legs[$0]?.leg.isPrivate }) == true { builder.add(.privacy, "id") }
    }

    /// A request whose CSeq is not above the last: the same one again has the answer it had, any other 500 (RFC 3261 §12.2.2).
    func answerAgain(_ id: String, _ transaction: ServerTransactionID, _ request: Message) {
        guard let leg = legs[id]?.leg, let given = leg.sip.answer(to: request) else {
            var builder = ResponseBuilder(request, 500)
            builder.add(.retryAfter, String(Int.random(in: 0...10)))
            // Not remembered: the first of the two may still be under way.
            layer.respond(transaction, builder, now: loop.now, into: &outbox)
            return
        }
        switch (request.method, given.code) {
        case (.invite?, 200..<300), (.update?, 200..<300), (.prack?, 200..<300), (.refer?, 200..<300):
            respond(transaction, response(to: request, leg, code: given.code, body: given.body))
        case (_, 420): _ = refuseUnknownExtensions(transaction, request)
        default: answer(transaction, request, given.code)
        }
    }

    /// Before the snapshot with which the answer is given.
    func remember(_ id: String, _ transaction: ServerTransactionID?, _ code: Int, _ body: String?) {
        guard let request = transaction.flatMap({ layer.request(of: $0) }), let answer = SIPState.Answer(to: request, code: code, body: body)
        else { return }
        legs[id]?.leg.sip.remember(answer)
    }

    /// What is answered at once: a successor that does not know of it does not know of the request either.
    func remember(_ response: ResponseBuilder) {
        let body = response.body.isEmpty ? nil : String(decoding: response.body, as: UTF8.self)
        guard let answer = SIPState.Answer(to: response.request, code: response.status, body: body), let callID = response.request.callID,
            let id = legsByCallID[callID]?.leg, legs[id]?.leg.sip.isOfItsDialogs(response.request) == true
        else { return }
        legs[id]?.leg.sip.remember(answer)
    }
}
