/// Why a packet is neither protected nor believed. Nothing has changed: neither the context nor the packet.
public enum Failure: Error, Hashable, Sendable, CaseIterable {
    /// No RTP or RTCP packet, or shorter than its own header and tag.
    case malformed
    /// This index has been used, or is older than the window (RFC 3711 §3.3.2).
    case replayed
    /// The tag is not that of these bytes under this key.
    case unauthentic
    /// The key has protected all it may (RFC 3711 §9.2).
    case exhausted
    /// Another source than the context has room for.
    case tooManySources
    /// The index lies behind what was reserved: it might be used a second time after a crash.
    case unreserved
}
