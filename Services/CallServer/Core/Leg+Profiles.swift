import Addresses
import Contracts
import SIP

/// What a contact takes: a browser nothing but ICE and DTLS (RFC 8827 §6.5), which other phones seldom do.
extension Leg.Target {
    /// Whoever speaks over a WebSocket and does not know its own address is a page (RFC 7118 §5).
    var isBrowser: Bool {
        guard let uri = URI(contact), let transport = uri.parameters["transport"]?.lowercased() else { return false }
        return (transport == "ws" || transport == "wss") && uri.host.lowercased().hasSuffix(".invalid")
    }

    var profile: MediaProfile { isBrowser ? .browser : takesSRTP == true ? .sdes : .plain }

    /// Whoever is reached at an IPv6 address hears there (RFC 6157 §4): to a phone that has both, either will do.
    var isIPv6: Bool { URI(contact).flatMap { IPAddress($0.host) }.map { !$0.isIPv4 } ?? false }
}

extension Leg.Media {
    /// Our offer in the form that a contact takes.
    func offer(to target: Leg.Target) -> String {
        if target.isBrowser { return browserOffer ?? description }
        return target.takesSRTP == true ? secureOffer ?? description : description
    }
}
