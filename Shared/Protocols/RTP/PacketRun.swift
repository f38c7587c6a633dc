public import Deadlines

/// Packets of one source that followed upon each other, each with the next sequence number, and were not looked at one by one.
public struct PacketRun: Hashable, Sendable {
    public var packets: Int
    /// Header and payload.
    public var octets: Int
    /// Of the last one.
    public var sequence: SequenceNumber
    public var timestamp: Timestamp
    public var arrivedAt: Instant
    /// The mean deviation of transit times after it (RFC 3550 A.8), in sixteenths of a nanosecond; nil: their timestamps do not say when
    /// they were made.
    public var jitter: UInt64?

    public init(packets: Int, octets: Int, sequence: SequenceNumber, timestamp: Timestamp, arrivedAt: Instant, jitter: UInt64?) {
        (self.packets, self.octets, self.sequence) = (packets, octets, sequence)
        (self.timestamp, self.arrivedAt, self.jitter) = (timestamp, arrivedAt, jitter)
    }
}

extension ReceiverStatistics {
    /// The sequence number after which nothing is missing; nil while the source is not certain.
    public var nextSequence: SequenceNumber? { isCertain ? SequenceNumber(UInt16(truncatingIfNeeded: highestSequence &+ 1)) : nil }

    /// As a run tells it; no more than thirty years, whatever clock rate was described.
    public var jitterInNanoseconds: UInt64 { UInt64(max(0, min(1e18, jitter * 16 * 1_000_000_000 / Double(clockRate)))) }

    /// The packets of a run came. If they do not follow upon what is known, what is between is unknown, and not lost.
    public mutating func receive(_ run: PacketRun) {
        guard run.packets > 0 else { return }
        guard advance(run.packets, to: Int(run.sequence.value)) else { return resume() }
        guard let jitter = run.jitter else { return }
        setJitter(Double(jitter) * Double(clockRate) / 1_000_000_000, run.timestamp, run.arrivedAt)
    }
}
