import Contracts
import Flow

/// Texts that phones send within their calls (RFC 3428): each is told of as an event, and passed on to whom its phone talks with.
extension Leg {
    /// The leg that its texts go to; nil where it talks with nobody, or with many.
    var textPartner: String? { isBridged ? record.parentCallID ?? bridgedChild : nil }

    mutating func texted(_ text: String, into effects: inout [LegEffect]) {
        publish("call.message", with: ["message": ["from": .string(referrer), "text": .string(text)]], into: &effects)
        guard let partner = textPartner else { return }
        let event = LegEvent.partnerTexted(record.id, text)
        effects.append(record.parentCallID != nil ? .tellParent(event) : .tellChild(partner, event))
    }

    /// A child may be one of several, that rings, is consulted or has joined: only the one that this leg talks with is heard.
    mutating func partnerTexted(_ partner: String, _ text: String, into effects: inout [LegEffect]) {
        guard textPartner == partner else { return }
        effects.append(.message(text))
    }
}
