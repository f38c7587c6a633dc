import Contracts
import MediaSession

extension MediaStatistics {
    /// What the contract shows of a session: packets as the phone sees them.
    init(_ statistics: SessionStatistics, codec: String?) {
        self.init(
            codec: codec, packetsIn: Int64(statistics.outsideIn), packetsOut: Int64(statistics.outsideOut),
            lost: Int64(statistics.lost), jitterMilliseconds: (statistics.jitterMilliseconds * 100).rounded() / 100,
            mos: statistics.meanOpinionScore.map { ($0 * 100).rounded() / 100 })
    }
}
