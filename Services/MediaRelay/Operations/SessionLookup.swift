import Contracts
import MediaSession
import SDP

// What the operations share: finding the session, fencing former owners, reading SDP.
extension MediaLoop {
    /// The session a command is about, after its epoch has been checked and kept.
    func living(_ id: String, epoch: UInt64?) throws(RPCError) -> Leg {
        guard let leg = try existing(id, epoch: epoch) else { throw RPCError(.notFound, "there is no session \(id)") }
        return leg
    }

    func existing(_ id: String, epoch: UInt64?) throws(RPCError) -> Leg? {
        guard let name = names[id], let leg = legs[name] else { return nil }
        if let epoch {
            try Self.check(epoch, against: leg.epoch)
            leg.epoch = epoch
        }
        attend(leg)
        return leg
    }

    /// A command of a former owner is refused (RELIABILITY §4.2).
    static func check(_ epoch: UInt64, against known: UInt64) throws(RPCError) {
        guard epoch >= known else { throw RPCError(.fenced, "epoch \(epoch) is over: \(known) is known") }
    }

    static func description(_ text: String) throws(RPCError) -> SessionDescription {
        do {
            return try SessionDescription.parse(text)
        } catch {
            throw RPCError(.notAcceptable, "the session description cannot be read: \(error)")
        }
    }

    static func agreeing<Result>(_ body: () throws(OfferAnswer.Refusal) -> Result) throws(RPCError) -> Result {
        do {
            return try body()
        } catch {
            switch error {
            case .noAudio: throw RPCError(.notAcceptable, "no audio stream over RTP/AVP is described")
            case .noCommonCodec: throw RPCError(.notAcceptable, "no codec of ours, or none that may be used here, is described")
            case .noAddress: throw RPCError(.notAcceptable, "no address to send media to is described")
            case .noCommonSecurity: throw RPCError(.notAcceptable, "no protection of ours is described")
            case .malformed: throw RPCError(.notAcceptable, "a key, fingerprint or tag that belongs there is missing or broken")
            case .unexpectedAnswer: throw RPCError(.conflict, "the answer fits no offer of ours")
            }
        }
    }

    /// Nil without a wish.
    func codecs(named names: [String]?) throws(RPCError) -> CodecChoice? {
        guard let names else { return nil }
        if let choice = CodecChoice(names: names) { return choice }
        throw RPCError(.invalid, "no codec of ours", problems: [Problem(pointer: "/codecs", detail: "names a codec that is not known here")])
    }

    func plan(_ agreement: Agreement?, at place: Place) throws(RPCError) -> ForwardingPlan {
        guard let agreement, let plan = ForwardingPlan(agreement) else {
            throw RPCError(.notAcceptable, "the media agreed on cannot be carried")
        }
        guard Security.isUsable(agreement.security) else {
            throw RPCError(.notAcceptable, "the keys agreed on cannot be used")
        }
        guard agreement.ice != nil || agreement.remote.address.isIPv4 == place.isIPv4 else {
            throw RPCError(.notAcceptable, "media over the other family than \(place.media)'s")
        }
        guard agreement.ice != nil || Security.maySend(to: agreement.remote.address, from: place.media) else {
            throw RPCError(.notAcceptable, "media to an address that only this machine can reach")
        }
        return plan
    }
}
