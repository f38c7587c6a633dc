import Bytes
import MediaSession
import SDP

/// Which codecs a leg is answered and offered with.
///
/// A relay answers before anybody knows who is at the other end, so by itself it takes what costs nothing: G.711 where it is there.
/// Whoever knows more (a call server that links two wideband phones, a site whose phones all have G.722) says so with a list.
struct CodecChoice: Hashable, Sendable {
    /// The only ones to use, best first. Nil: all, what needs no transcoding before the rest, each in the phone's order.
    private let ordered: [Codec]?

    static let usual = CodecChoice()

    private init() { ordered = nil }

    /// By their names in SDP; nil when one is none of ours. No names are no wish.
    init?(names: [String]) {
        var ordered: [Codec] = []
        for name in names {
            let named = ForwardingPlan.codecs.filter { !$0.isTelephoneEvent && ASCII.equalsIgnoringCase($0.name, name) }
            guard !named.isEmpty else { return nil }
            ordered += named.filter { !ordered.contains($0) }
        }
        self.ordered = ordered.isEmpty ? nil : ordered
    }

    /// As SDP names them, for the snapshot.
    var names: [String]? {
        ordered.map { $0.map(\.name).reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } } }
    }

    /// What our offers name.
    var offered: [Codec] { ordered.map(Self.withEvents) ?? ForwardingPlan.plainCodecs }

    /// Sets what an answer to `offer` may name; the order that is to be given to it.
    func prepare(_ exchange: inout OfferAnswer, answering offer: SessionDescription, takesComfortNoise: Bool) -> [Codec] {
        let extra: [Codec] = takesComfortNoise ? [.comfortNoise()] : []
        if let ordered {
            exchange.local.codecs = Self.withEvents(ordered) + extra
            return ordered
        }
        exchange.local.codecs = ForwardingPlan.plainCodecs + extra
        if (try? exchange.prospect(of: offer)) == nil { exchange.local.codecs = ForwardingPlan.codecs + extra }
        return []
    }

    /// Events run on the clock of the sound (RFC 4733 §2.1).
    private static func withEvents(_ codecs: [Codec]) -> [Codec] {
        codecs + Set(codecs.map(\.clockRate)).union([8000]).sorted().map { $0 == 8000 ? .telephoneEvent : .telephoneEvent($0) }
    }
}
