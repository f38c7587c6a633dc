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
        if take(fragment, of: leg.exchange, on: leg) {
            keepTransport(leg)
            tend(leg)
        } else if leg.mayBeAnswered {
            // RFC 8840 §4.3.3: whoever answers may find candidates before its answer comes, and each fork has its own.
            leg.keep(command.fragment)
            keep(leg)
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
    /// Forks of a call that find candidates before they answer; each INFO repeats those before it (RFC 8840 §4.4).
    private static let mostFragments = 8

    /// An offer of ours is out, to which an answer may come: the first, or another fork's.
    var mayBeAnswered: Bool { exchange.agreement == nil || !proposals.isEmpty }

    func keep(_ fragment: String) {
        fragments.removeAll { $0 == fragment }
        fragments = fragments.suffix(Self.mostFragments - 1) + [fragment]
    }
}
