/// What a session carried and what it refused.
public struct SessionStatistics: BitwiseCopyable, Hashable, Sendable {
    /// Packets of the phone that were taken, and packets sent to it.
    public var outsideIn = 0
    public var outsideOut = 0
    /// Packets of the room that were taken, and packets sent to it.
    public var insideIn = 0
    public var insideOut = 0
    /// No RTP, a payload that cannot be, or a format nobody agreed on.
    public var malformed = 0
    /// From another source than the phone (V1, V2).
    public var strangers = 0
    /// Without the right tag, or sent a second time: dropped before anything was believed of them.
    public var unauthentic = 0
    /// Doubled, or too late.
    public var late = 0
    /// Not forwarded because of the direction agreed on, or because there is no room.
    public var held = 0
    /// From us to the phone and back (RFC 3550 §6.4.1, RFC 3611 §4.5), when it was last measured.
    public var roundTripMilliseconds: Double?
    /// What we heard of the phone, and what it heard of us as far as it told.
    public var received = StreamQuality()
    public var sent: StreamQuality?

    public init() {}
}
