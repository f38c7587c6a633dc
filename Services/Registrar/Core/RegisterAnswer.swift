import SIP

/// The responses to a REGISTER.
enum RegisterAnswer {
    /// Every current binding with the seconds it still has (§10.3 step 8).
    /// `temporaryGRUU` makes a new one for a binding that has an instance.
    static func success(
        _ message: Message, _ request: RegisterRequest, _ set: BindingSet, now: Int64, temporaryGRUU: (Binding) -> String?
    ) -> ResponseBuilder {
        var response = ResponseBuilder(message, 200)
        for binding in set.reachable(now: now) {
            var text = contact(binding, now: now)
            if request.supportsGRUU, let instanceID = binding.instanceID {
                text += ";pub-gruu=\"\(GRUU.publicURI(number: request.number, domain: request.domain, instanceID: instanceID))\""
                if let temporary = temporaryGRUU(binding) { text += ";temp-gruu=\"\(temporary)\"" }
            }
            response.add(.contact, text)
        }
        // RFC 3327 §5.3: a phone that knows Path is told the one that is used.
        if request.supportsPath {
            for uri in request.path { response.add(.path, "<\(uri)>") }
        }
        for uri in request.serviceRoutes { response.add(.serviceRoute, "<\(uri)>") }
        if request.usesOutbound, set.bindings.contains(where: { $0.regID != nil }) {
            response.add(.require, "outbound")
            // RFC 5626 §4.4: only with outbound, and what the edge finds right for the transport.
            if let seconds = request.flowTimer { response.headers.append(Header("Flow-Timer", String(seconds))) }
        }
        return response
    }

    static func refusal(_ message: Message, _ defect: BindingSet.Defect) -> ResponseBuilder {
        switch defect {
        case .intervalTooBrief(let minimum):
            var response = ResponseBuilder(message, 423)
            response.add(.minExpires, String(minimum))
            return response
        case .tooManyContacts: return ResponseBuilder(message, 403, reason: "Too Many Contacts")
        case .outOfOrder: return ResponseBuilder(message, 500, reason: "Request Out of Order")
        }
    }

    static func refusal(_ message: Message, _ refusal: Refusal) -> ResponseBuilder {
        var response = ResponseBuilder(message, refusal)
        if refusal.status == 420 {
            let unknown = message.required.filter { !RegisterRequest.understood.contains($0) }
            response.add(.unsupported, unknown.joined(separator: ", "))
        }
        return response
    }

    private static func contact(_ binding: Binding, now: Int64) -> String {
        var text = "<\(binding.contact)>;expires=\(binding.remaining(now: now))"
        if binding.q < .highest { text += ";q=\(binding.q)" }
        if let instanceID = binding.instanceID { text += ";+sip.instance=\"\(instanceID.filter { $0 != "\"" && $0 != "\\" })\"" }
        if let regID = binding.regID { text += ";reg-id=\(regID)" }
        return text
    }
}
