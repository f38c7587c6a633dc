/// One packet of an RTCP compound (RFC 3550 §6). Control packets are rare: these may allocate.
public enum ControlPacket: Hashable, Sendable {
    case senderReport(SenderReport)
    case receiverReport(ReceiverReport)
    /// Source and canonical name of every chunk.
    case sourceDescription([SourceDescription])
    case goodbye(sources: [SSRC], reason: String?)
    case extendedReport(ExtendedReport)
    /// A type this module gives no meaning to (APP, feedback).
    case other(type: UInt8)
}

/// What one receiver says of one source (RFC 3550 §6.4.1).
public struct ReportBlock: Hashable, Sendable {
    public var ssrc: SSRC
    /// Lost since the last report, in 1/256.
    public var fractionLost: UInt8
    /// Twenty-four bits, signed.
    public var cumulativeLost: Int32
    public var highestSequence: UInt32
    public var jitter: UInt32
    /// The middle 32 bits of the last sender report's NTP time; zero without one.
    public var lastSenderReport: UInt32
    /// Since that report arrived, in 1/65536 s.
    public var delaySinceLast: UInt32

    public init(
        ssrc: SSRC, fractionLost: UInt8, cumulativeLost: Int32, highestSequence: UInt32, jitter: UInt32,
        lastSenderReport: UInt32 = 0, delaySinceLast: UInt32 = 0
    ) {
        (self.ssrc, self.fractionLost, self.cumulativeLost) = (ssrc, fractionLost, cumulativeLost)
        (self.highestSequence, self.jitter) = (highestSequence, jitter)
        (self.lastSenderReport, self.delaySinceLast) = (lastSenderReport, delaySinceLast)
    }
}

/// RFC 3550 §6.4.1.
public struct SenderReport: Hashable, Sendable {
    public var ssrc: SSRC
    /// Seconds since 1900 in the upper half, fractions in the lower.
    public var ntpTime: UInt64
    public var timestamp: Timestamp
    public var packetCount: UInt32
    public var octetCount: UInt32
    public var blocks: [ReportBlock]

    public init(ssrc: SSRC, ntpTime: UInt64, timestamp: Timestamp, packetCount: UInt32, octetCount: UInt32, blocks: [ReportBlock] = []) {
        (self.ssrc, self.ntpTime, self.timestamp) = (ssrc, ntpTime, timestamp)
        (self.packetCount, self.octetCount, self.blocks) = (packetCount, octetCount, blocks)
    }
}

/// RFC 3550 §6.4.2.
public struct ReceiverReport: Hashable, Sendable {
    public var ssrc: SSRC
    public var blocks: [ReportBlock]

    public init(ssrc: SSRC, blocks: [ReportBlock] = []) { (self.ssrc, self.blocks) = (ssrc, blocks) }
}

/// The one item of RFC 3550 §6.5 that every sender must send: its canonical name.
public struct SourceDescription: Hashable, Sendable {
    public var ssrc: SSRC
    public var canonicalName: String?

    public init(ssrc: SSRC, canonicalName: String?) { (self.ssrc, self.canonicalName) = (ssrc, canonicalName) }
}
