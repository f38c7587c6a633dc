/// What a packet of a source is to its decoder.
public enum Content: UInt8, Hashable, Sendable {
    case sound
    /// A description of silence (RFC 3389).
    case comfortNoise
    /// A named event (RFC 4733), or anything else that is no sound but takes a sequence number.
    case event
}
