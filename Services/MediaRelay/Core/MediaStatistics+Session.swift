import Contracts
import MediaSession

extension MediaStatistics {
    /// What the contract shows of a session: packets as the phone sees them.
    init(_ statistics: SessionStatistics, codec: String?) {
        let received = MediaQuality(statistics.received)
        self.init(
            codec: codec, packetsIn: Int64(statistics.outsideIn), packetsOut: Int64(statistics.outsideOut), lost: received.lost,
            jitterMilliseconds: received.jitterMilliseconds, mos: received.mos)
        roundTripMilliseconds = statistics.roundTripMilliseconds.map(hundredths)
        (self.received, sent) = (received, statistics.sent.map(MediaQuality.init))
    }
}

extension MediaQuality {
    init(_ quality: StreamQuality) {
        self.init(
            packets: Int64(quality.packets), lost: Int64(max(0, quality.lost)), lossPercent: hundredths(100 * quality.lossShare),
            jitterMilliseconds: hundredths(quality.jitterMilliseconds), mos: quality.meanOpinionScore.map(hundredths))
    }
}

private func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
