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

    /// What packets of such a stream become for the phone of another leg.
    public struct Onward: Sendable {
        public let destination: SocketAddress
        public let ssrc: SSRC
        public let payloadType: PayloadType
        public let sequenceShift: UInt16
        public let timestampShift: UInt32
        /// Of the payload; nil: any.
        public let payloadLength: Int?
        /// How far the source's timestamps may advance from packet to packet; nil: anyhow.
        public let timestampGap: UInt32?
    }

    /// The phone's stream of that payload type, if nobody has to look at one of its packets.
    public mutating func plainStream(of payloadType: PayloadType) -> PlainStream? {
        guard transport == nil, terms.isSound, terms.receives, passing.gates.isOpen, isQuiet, !isListenedTo else { return nil }
        guard let phone = latch.locked, receiverSource == phone.ssrc, let next = receiver.nextSequence else { return nil }
        return PlainStream(
            source: phone.address, ssrc: phone.ssrc, clockRate: receiver.clockRate, nextSequence: next, jitter: receiver.jitterInNanoseconds,
            isTimed: terms.isTimed(payloadType))
    }

    /// What those that follow upon this packet of another leg's phone, which was passed on to this one, become; nil: there is more to be
    /// done to them.
    public mutating func onward(after header: Header) -> Onward? {
        guard isQuiet, let destination = plainDestination else { return nil }
        guard !terms.isTransparent else {
            return Onward(
                destination: destination, ssrc: header.ssrc, payloadType: header.payloadType, sequenceShift: 0, timestampShift: 0,
                payloadLength: nil, timestampGap: nil)
        }
        guard passing.isDirect, let plan, let shift = outside.shift(after: header) else { return nil }
        return Onward(
            destination: destination, ssrc: outside.ssrc, payloadType: plan.soundPayloadType, sequenceShift: shift.sequence,
            timestampShift: shift.timestamp, payloadLength: plan.coding == nil ? outside.packetSamples : nil,
            timestampGap: OutgoingStream.maximumGap)
    }

    /// Where packets of another leg's phone go that need nothing more.
    public var plainDestination: SocketAddress? { transport == nil && terms.sends ? passingDestination : nil }

    /// Nothing is due, and nothing is under way to the phone or from it, but what passes.
    private var isQuiet: Bool { inward == nil && outward == nil && voice == nil && digits.sender.deadline == nil }

    /// Runs begin, of which nothing is known yet.
    public mutating func beginRuns(from phone: Bool) {
        if phone { passing.taken = RunTotals() } else { passing.given = RunTotals() }
    }

    /// The phone sent all these since the runs began, and they were passed on. What of it is new.
    public mutating func passed(_ total: PacketRun) -> Int {
        guard let run = passing.taken.news(total) else { return 0 }
        heardAt = max(heardAt, run.arrivedAt)
        latch.accepted(at: run.arrivedAt)
        counts.outsideIn += run.packets
        passing.counts.packets += run.packets
        passing.counts.octets += run.octets
        receiver.receive(run)
        return run.packets
    }

    /// All these were passed on to the phone since the runs began.
    public mutating func sent(_ total: PacketRun) {
        guard let run = passing.given.news(total) else { return }
        counts.outsideOut += run.packets
        if !terms.isTransparent { outside.sent(run) }
    }
}

/// How much of runs is known.
struct RunTotals: BitwiseCopyable, Sendable {
    private var packets = 0
    private var octets = 0

    init() {}

    mutating func news(_ total: PacketRun) -> PacketRun? {
        guard total.packets > packets else { return nil }
        var run = total
        (run.packets, run.octets) = (total.packets - packets, total.octets - octets)
        (packets, octets) = (total.packets, total.octets)
        return run
    }
}

extension OutgoingStream {
    /// By how much our numbers differ from the source's after this packet of it; nil: the next one's place is not certain.
    func shift(after header: Header) -> (sequence: UInt16, timestamp: UInt32)? {
        guard place.hasSource, !place.isRestarting, !hasResidue else { return nil }
        guard place.sourceSequence == header.sequence, place.sourceTimestamp == header.timestamp else { return nil }
        return (place.sequence.value &- header.sequence.value, place.timestampOffset)
    }
}
