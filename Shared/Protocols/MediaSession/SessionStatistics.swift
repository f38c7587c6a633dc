/// What a session carried and what it refused.
public struct SessionStatistics: Hashable, Sendable {
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
    /// Of the phone's stream (RFC 3550 A.3, A.8).
    public var lost = 0
    public var jitterMilliseconds: Double = 0
    /// What the phone last reported of ours, if it reports.
    public var remoteLost: Int?
    public var roundTripMilliseconds: Double?

    public init() {}

    /// The E-model's opinion score for G.711 without concealment at this loss (ITU-T G.107 §7, G.113 appendix I: Bpl 4.3), delay
    /// not counted; nil before anything arrived.
    public var meanOpinionScore: Double? {
        guard outsideIn > 0 else { return nil }
        let lossPercent = 100 * Double(max(0, lost)) / Double(outsideIn + max(0, lost))
        let rating = 93.2 - 95 * lossPercent / (lossPercent + 4.3)
        guard rating > 0 else { return 1 }
        return 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
    }
}
