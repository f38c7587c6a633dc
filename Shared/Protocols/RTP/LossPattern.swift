/// How losses are spread: in bursts, within which fewer than 16 packets in a row arrive, and single ones in the gaps between
/// (RFC 3611 §4.7.2; the counters are those of appendix A.2).
public struct LossPattern: BitwiseCopyable, Hashable, Sendable {
    public static let gapMinimum = 16

    public private(set) var lost = 0
    public private(set) var received = 0
    /// Runs of lost packets, whatever their length.
    public private(set) var runs = 0
    private var isInRun = false

    private var sinceLoss = 0
    private var lossesInBurst = 0
    // Transitions between the states: 1 received and 4 lost in a gap, 2 received and 3 lost in a burst.
    private var c11 = 0
    private var c13 = 0
    private var c14 = 0
    private var c22 = 0
    private var c23 = 0
    private var c33 = 0

    public init() {}

    mutating func arrived(_ packets: Int = 1) {
        received += packets
        sinceLoss += packets
        isInRun = false
    }

    mutating func missed() {
        lost += 1
        if !isInRun { runs += 1 }
        isInRun = true
        if sinceLoss >= Self.gapMinimum || lossesInBurst == 0 {
            // What ends here is told by how it went on: a single loss in a gap, or a burst.
            (c13, c14) = ended
            lossesInBurst = 1
            c11 += sinceLoss
        } else {
            lossesInBurst += 1
            if sinceLoss == 0 {
                c33 += 1
            } else {
                c23 += 1
                c22 += sinceLoss - 1
            }
        }
        sinceLoss = 0
    }

    /// The counts of bursts and of single losses, with what the losses seen last were so far.
    private var ended: (bursts: Int, singles: Int) {
        (lossesInBurst > 1 ? c13 + 1 : c13, lossesInBurst == 1 ? c14 + 1 : c14)
    }

    public var share: Double { lost == 0 ? 0 : Double(lost) / Double(lost + received) }

    /// The mean length of a run of losses to what it would be if each were by chance (ITU-T G.107 §7.2): 1 for random losses.
    public var burstRatio: Double {
        guard runs > 0 else { return 1 }
        return max(1, Double(lost) / Double(runs) * (1 - share))
    }

    public struct Densities: Hashable, Sendable {
        /// Shares of losses, 0...1.
        public var burst = 0.0
        public var gap = 0.0
        /// Mean lengths in packets.
        public var burstLength = 0.0
        public var gapLength = 0.0
    }

    /// Appendix A.2, over everything so far.
    public var densities: Densities {
        var densities = Densities()
        // What came since the last loss belongs to a gap when it is long enough for one.
        let c11 = sinceLoss >= Self.gapMinimum || lossesInBurst == 0 ? c11 + sinceLoss : c11
        let (c13, c14) = ended
        if c11 + c14 > 0 { densities.gap = Double(c14) / Double(c11 + c14) }
        guard c13 > 0 else {
            densities.gapLength = Double(c11 + c14)
            return densities
        }
        let (c31, c32) = (c13, c23)
        let total = c11 + c14 + c13 + c22 + c23 + c31 + c32 + c33
        let p32 = Double(c32) / Double(c31 + c32 + c33)
        let p23 = c22 + c23 < 1 ? 1 : 1 - Double(c22) / Double(c22 + c23)
        densities.burst = p23 + p32 > 0 ? p23 / (p23 + p32) : 0
        densities.gapLength = Double(c11 + c14 + c13) / Double(c13)
        densities.burstLength = max(0, Double(total) / Double(c13) - densities.gapLength)
        return densities
    }
}
