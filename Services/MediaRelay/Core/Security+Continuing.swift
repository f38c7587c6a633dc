import Contracts
import MediaSession
import SDP

// Taking over the session of another relay: the phone is offered what it was told last, with our ports and keys.
extension Security {
    /// Makes of a fresh exchange one that goes on with that description: same names and numbers, codecs, and kind of protection.
    func goOn(_ exchange: inout OfferAnswer, with description: SessionDescription) throws(RPCError) {
        guard var next = OfferAnswer(continuing: description, local: exchange.local), let stream = next.localStream else {
            throw RPCError(.notAcceptable, "the description to go on with has no audio of ours")
        }
        let named = stream.payloadFormats.map(\.codec)
        let codecs = ForwardingPlan.codecs.filter { codec in named.contains { $0.isSameFormat(as: codec) } }
        if !codecs.isEmpty { next.local.codecs = codecs }
        let isDTLS = !description.fingerprints(ofMedia: next.audioIndex).isEmpty
        next.local = local(next.local, offering: isDTLS ? .browser : stream.crypto.isEmpty ? .plain : .sdes)
        if isDTLS, description.connectivity(ofMedia: next.audioIndex) == nil { next.local.ice = nil }
        next.local.security?.hasFeedback = stream.profile?.hasFeedback ?? false
        (next.local.multiplexesRTCP, next.local.mid) = (stream.multiplexesRTCP, stream.mid)
        exchange = next
    }
}
