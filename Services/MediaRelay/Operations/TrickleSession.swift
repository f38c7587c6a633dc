import Addresses
import Contracts
import MediaSession
import SDP

extension MediaLoop {
    /// `relay.session.trickle`: candidates that the phone found after its description.
    func trickle(_ command: TrickleInMediaSession) throws(RPCError) -> Done {
        let leg = try living(command.sessionID, epoch: command.epoch)
        guard command.fragment.utf8.count <= TrickleInMediaSession.longest, let fragment = Self.fragment(command.fragment) else {
            throw RPCError(.invalid, "the candidates cannot be read", problems: [Problem(pointer: "/fragment", detail: "lines as in RFC 8840 §9")])
        }
        let isTaken = take(fragment, of: leg.exchange, on: leg)
        if leg.mayBeAnswered {
            // RFC 8840 §4.3.3: whoever answers may find candidates before its answer comes; each fork has its own, and the answer that counts may be
            // one that was heard before another's.
            leg.keep(command.fragment)
            keep(leg)
        }
        if isTaken {
            keepTransport(leg)
            tend(leg)
        }
        return Done()
    }

    /// An answer has come: the candidates that were here before it.
    func takeTrickled(of exchange: OfferAnswer, on leg: Leg) {
        for text in leg.fragments { if let fragment = Self.fragment(text) { _ = take(fragment, of: exchange, on: leg) } }
    }

    private static func fragment(_ text: String) -> SessionDescription? { try? SessionDescription.parse(trickled: Array(text.utf8)) }

    private func take(_ fragment: SessionDescription, of exchange: OfferAnswer, on leg: Leg) -> Bool {
        guard let theirs = fragment.trickled(for: exchange.localStream?.mid) else { return false }
        return take(theirs, on: leg, at: exchange.local.address.address)
    }

    /// `own`: where we say that the leg is met. False when they are not those of the description that the other side has given last.
    func take(_ theirs: Connectivity, on leg: Leg, at own: IPAddress) -> Bool {
        let now = loop.now
        guard security.trickle(theirs, .rtp, from: own, to: &leg.session.transport, now: now) else { return false }
        _ = security.trickle(theirs, .rtcp, from: own, to: &leg.session.controlTransport, now: now)
        return true
    }
}

extension Leg {
    /// Of all forks of a call that find candidates before they answer; each INFO repeats those before it (RFC 8840 §4.4).
    private static let mostFragments = 8

    /// An offer of ours is out, to which an answer may come: the first, or another fork's.
    var mayBeAnswered: Bool { exchange.agreement == nil || !proposals.isEmpty }

    func keep(_ fragment: String) {
        fragments.keep(fragment, most: Self.mostFragments) { text in
            text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("a=ice-ufrag:") } ?? ""
        }
    }
}

extension Array where Element: Equatable {
    /// Adds what comes last; of too many the oldest goes of whoever, by `name`, has sent the most: nobody's displace another's.
    mutating func keep<Name: Hashable>(_ element: Element, most: Int, of name: (Element) -> Name) {
        removeAll { $0 == element }
        append(element)
        while count > most {
            let counts = Dictionary(map { (name($0), 1) }, uniquingKeysWith: +)
            guard let busiest = counts.max(by: { $0.value < $1.value })?.key, let oldest = firstIndex(where: { name($0) == busiest }) else { return }
            remove(at: oldest)
        }
    }
}
