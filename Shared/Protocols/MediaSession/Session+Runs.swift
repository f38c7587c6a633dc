public import Addresses
public import RTP

// Packets that somebody else passes on, who asks of each only whether it follows upon the last one.
extension Session {
    /// The phone's stream as it has to go on.
    public struct PlainStream: Sendable {
        public let source: SocketAddress
        public let ssrc: SSRC
        public let clockRate: Int
        public let nextSequence: SequenceNumber
        /// As in a `PacketRun`.
        public let jitter: UInt64
        public let isTimed: Bool
    }

    /// The phone's stream of that payload type, if its packets go to the other leg as they come and nobody has to look at one of them.
    public mutating func plainStream(of payloadType: PayloadType) -> PlainStream? {
        guard transport == nil, terms.isTransparent, terms.isSound, terms.receives, passing.gates.isOpen else { return nil }
        guard let phone = latch.locked, receiverSource == phone.ssrc, let next = receiver.nextSequence else { return nil }
        return PlainStream(
            source: phone.address, ssrc: phone.ssrc, clockRate: receiver.clockRate, nextSequence: next, jitter: receiver.jitterInNanoseconds,
            isTimed: terms.isTimed(payloadType))
    }

    /// Where packets of another leg's phone go that are for this one as they are; nil: there is more to be done to them.
    public var plainDestination: SocketAddress? { transport == nil && terms.sends ? passingDestination : nil }

    /// The phone sent these, and they were passed on.
    public mutating func passed(_ run: PacketRun) {
        heardAt = max(heardAt, run.arrivedAt)
        latch.accepted(at: run.arrivedAt)
        counts.outsideIn += run.packets
        passing.counts.packets += run.packets
        passing.counts.octets += run.octets
        receiver.receive(run)
    }

    /// So many of another leg's phone were passed on to this one.
    public mutating func wasSent(packets: Int) { counts.outsideOut += packets }
}
