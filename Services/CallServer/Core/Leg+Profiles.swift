import SIP

/// What a contact takes: a browser nothing but ICE and DTLS (RFC 8827 §6.5), which other phones seldom do.
extension Leg.Target {
    /// Whoever speaks over a WebSocket and does not know its own address is a page (RFC 7118 §5).
    var isBrowser: Bool {
        guard let uri = URI(contact), let transport = uri.parameters["transport"]?.lowercased() else { return false }
        return (transport == "ws" || transport == "wss") && uri.host.lowercased().hasSuffix(".invalid")
    }

    /// One leg has one session and so one offer: where browsers and phones share an extension, it is for the phones.
    static func offerable(_ targets: [Leg.Target]) -> [Leg.Target] {
        let phones = targets.filter { !$0.isBrowser }
        return phones.isEmpty ? targets : phones
    }
}
