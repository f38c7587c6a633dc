/// How one direction of a leg's sound arrived.
public struct StreamQuality: BitwiseCopyable, Hashable, Sendable {
    public var packets = 0
    public var lost = 0
    public var jitterMilliseconds: Double = 0
    /// BurstR of ITU-T G.107: 1 for losses by chance.
    public var burstRatio: Double = 1
    /// Nil before anything arrived.
    public var meanOpinionScore: Double?

    public init() {}

    /// Of all that was sent, 0...1.
    public var lossShare: Double {
        let lost = max(0, lost)
        return lost == 0 ? 0 : Double(lost) / Double(packets + lost)
    }
}
