public import Addresses
internal import Bytes

/// What a proxy without transactions needs (RFC 3261 §16.11).
public enum StatelessForwarding {
    /// A branch that is the same whenever the same request passes, and the same for an INVITE, its CANCEL and the ACK of its
    /// failure: a hash of the branch and sent-by received, or, from an RFC 2543 client, of everything that names its transaction.
    public static func branch(for request: Message, seed: UInt64) -> String? {
        guard let via = request.topmostVia else { return nil }
        var identity: [String] = [via.branch ?? "", via.sentBy.lowercased()]
        if !via.hasUniqueBranch {
            guard let callID = request.callID, let cseq = request.cseq, let from = request.from else { return nil }
            identity += [callID, String(cseq.number), from.tag ?? "", request.requestURIText ?? ""]
        }
        let bytes = Array(identity.joined(separator: "\n").utf8)
        let (high, low) = (StableHash.hash(bytes, seed: seed), StableHash.hash(bytes, seed: ~seed))
        return Via.magicCookie + String(high, radix: 36) + String(low, radix: 36)
    }
}

extension Via {
    /// This Via with what its sender cannot know: where the request really came from (§18.2.1, RFC 3581 §4). Nil when nothing
    /// has to be added.
    public func stamped(source: SocketAddress) -> Via? {
        var stamped = self
        if wantsSourcePort {
            stamped.parameters.set("rport", String(source.port))
            stamped.parameters.set("received", source.address.description)
        } else if IPAddress(host) != source.address {
            stamped.parameters.set("received", source.address.description)
        } else {
            stamped.parameters.remove("received")
        }
        return stamped == self ? nil : stamped
    }
}

extension Message {
    /// The message with `received` and `rport` in its topmost Via; itself when they have nothing to say.
    public func stamped(source: SocketAddress) -> Message {
        guard let via = topmostVia?.stamped(source: source) else { return self }
        var edits = Edits(of: self)
        edits.replaceFirst(.via, via.description)
        // A few bytes longer than what was accepted: the limits have been applied already.
        return
            (try? Message.parse(edits.serialised(), limits: Limits(messageLength: .max, headerCount: .max, lineLength: .max >> 1)))
            ?? self
    }
}
