import Addresses

/// What a call is to be made to, after `TextFormat.destination` has found no fault in it: `1002`, or `sip:1002@demo.localhost`.
struct Destination: Sendable, Equatable {
    let text: String
    /// Behind the @, without a port; nil for a number.
    let host: String?

    init(_ text: String) {
        self.text = text
        guard let at = text.firstIndex(of: "@") else {
            host = nil
            return
        }
        let place = text[text.index(after: at)...]
        // An IPv6 reference keeps its brackets (RFC 3986 §3.2.2).
        if place.hasPrefix("["), let end = place.firstIndex(of: "]") {
            host = String(place[...end])
        } else {
            host = String(place.prefix { $0 != ":" })
        }
    }

    /// Whether it can be of a customer's with this domain: an address in its place means that, too (DESIGN §10).
    func isOf(_ domain: String) -> Bool {
        guard let host else { return true }
        return host.lowercased() == domain || IPAddress(host) != nil
    }
}
