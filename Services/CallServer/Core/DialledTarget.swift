import Addresses
import Bytes
import SIP

/// What a program names to be called, or to call: `1002`, or `sip:1002@demo.localhost`.
struct DialledTarget: Sendable, Equatable {
    let number: String
    /// In lower case. Nil: the caller's own, which a number means, and any address in the place of the domain (DESIGN §10).
    let domain: String?

    init?(_ text: String) {
        guard text.hasPrefix("sip:") || text.hasPrefix("sips:") else {
            guard !text.isEmpty, !text.contains("@") else { return nil }
            (number, domain) = (text, nil)
            return
        }
        guard let uri = URI(text), let user = uri.calledUser else { return nil }
        (number, domain) = (user, IPAddress(uri.host) == nil ? uri.host.lowercased() : nil)
    }

    /// As records have it; what is no target is left as it is.
    static func number(_ text: String) -> String { DialledTarget(text)?.number ?? text }

    /// Whether what stands behind the @ is that domain, or an address in its place, with a port or without.
    static func isHost(_ text: some StringProtocol, of domain: String) -> Bool {
        guard let uri = URI("sip:" + String(text)), uri.user == nil else { return false }
        return uri.isOf(domain)
    }
}

extension URI {
    /// Whether it is in that domain, the caller's own: an address as the domain means it too (DESIGN §10), and a port says nothing.
    func isOf(_ domain: String) -> Bool {
        opaque != nil || IPAddress(host) != nil || ASCII.equalsIgnoringCase(host, domain)
    }
}
