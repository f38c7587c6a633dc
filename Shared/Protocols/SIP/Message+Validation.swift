extension Message {
    /// What RFC 3261 §8.1.1, §8.2 and §16.3 demand of every request; nil when nothing is wrong with this one.
    public var requestDefect: Refusal? {
        guard case .request(let method, _) = start else { return Refusal(400, "Not a Request") }
        guard isVersionSupported else { return Refusal(505) }
        guard let scheme = requestURIText?.split(separator: ":", maxSplits: 1).first else {
            return Refusal(400, "Bad Request-URI")
        }
        guard requestURI != nil else { return Refusal(400, "Bad Request-URI") }
        for name in [HeaderName.from, .to, .callID, .cseq, .maxForwards, .contentType, .expires] where count(of: name) > 1 {
            return Refusal(400, "Repeated \(name.text)")
        }
        guard topmostVia != nil, vias != nil else { return Refusal(400, "Bad Via") }
        guard let from, from.parameters.contains("tag") || !topmostViaIsUnique else { return Refusal(400, "Bad From") }
        guard to != nil else { return Refusal(400, "Bad To") }
        guard callID != nil else { return Refusal(400, "Bad Call-ID") }
        guard let cseq else { return Refusal(400, "Bad CSeq") }
        guard cseq.method == method else { return Refusal(400, "CSeq Method Does Not Match") }
        guard !contains(.maxForwards) || maxForwards != nil else { return Refusal(400, "Bad Max-Forwards") }
        guard !contains(.expires) || expires != nil else { return Refusal(400, "Bad Expires") }
        guard contacts != nil else { return Refusal(400, "Bad Contact") }
        guard routes != nil, recordRoutes != nil else { return Refusal(400, "Bad Route") }
        return ["sip", "sips", "tel"].contains(scheme.lowercased()) ? nil : Refusal(416)
    }

    /// RFC 2543 clients (no magic cookie) need not send a From tag (§8.2.6.2).
    private var topmostViaIsUnique: Bool { topmostVia?.hasUniqueBranch ?? false }

    /// Whether a response has what a proxy and a transaction need to pass it on.
    public var isUsableResponse: Bool {
        !isRequest && isVersionSupported && topmostVia != nil && cseq != nil && callID != nil && from != nil && to != nil
    }
}
