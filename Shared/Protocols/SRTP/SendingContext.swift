public import RTP

/// Protects what one side sends (RFC 3711 §3.2.3), in place, without allocation.
///
/// Every index is used once: a packet that is repeated is refused. With a reservation the context also stays below an end that has been
/// kept somewhere: `reserve` says up to where it wants to go, `commit` that this is kept, and a successor begins there.
public struct SendingContext: ~Copyable {
    private struct Source {
        let ssrc: UInt32
        var window: ReplayWindow
        var end: UInt64
        var controlNext: UInt32
        var controlEnd: UInt32

        var next: UInt64 { window.highest.map { $0 &+ 1 } ?? 0 }
    }

    public let suite: Suite
    public let limits: Limits
    /// Whether a source has used half of what was reserved for it.
    public private(set) var needsReservation = false

    private let rtp: Transform
    private let rtcp: Transform
    private let isReserving: Bool
    private var sources: [Source] = []

    static let indexCount: UInt64 = 1 << 48
    static let controlIndexCount: UInt32 = 1 << 31

    /// Without reservations, for a sender that nobody succeeds.
    public init(_ master: MasterKey, limits: Limits = Limits()) {
        self.init(master, limits, isReserving: false)
    }

    /// Goes on where others can at most have come to; an empty reservation begins.
    public init(_ master: MasterKey, limits: Limits = Limits(), resuming reservation: Reservation) throws(Failure) {
        self.init(master, limits, isReserving: true)
        for source in reservation.sources {
            guard source.end < Self.indexCount, source.controlEnd <= Self.controlIndexCount else { throw .exhausted }
            try add(source.ssrc.value, next: source.end, controlNext: source.controlEnd)
        }
    }

    /// With a key that was left for another and came back: behind all that it has protected (RELIABILITY V27).
    public init(_ master: MasterKey, limits: Limits = Limits(), after used: Reservation) {
        self.init(master, limits, isReserving: false)
        for source in used.sources.prefix(limits.sources) {
            let window = source.end > 0 ? ReplayWindow(closedTo: source.end - 1) : ReplayWindow()
            sources.append(
                Source(
                    ssrc: source.ssrc.value, window: window, end: Self.indexCount, controlNext: source.controlEnd,
                    controlEnd: Self.controlIndexCount))
        }
    }

    /// What every source has come to: the first indexes that were not used.
    public var used: Reservation {
        Reservation(sources: sources.map { Reservation.Source(ssrc: SSRC($0.ssrc), end: $0.next, controlEnd: $0.controlNext) })
    }

    /// Goes on with the very next index; nil begins.
    init(_ master: MasterKey, limits: Limits, resuming position: Position?) {
        self.init(master, limits, isReserving: false)
        guard let position else { return }
        for index in position.sending.indices.reversed() where position.sending[index].isPresent {
            let kept = position.sending[index]
            sources.append(
                Source(
                    ssrc: kept.ssrc, window: kept.window, end: Self.indexCount, controlNext: UInt32(clamping: kept.control),
                    controlEnd: Self.controlIndexCount))
        }
    }

    @inline(__always)
    func write(_ kept: inout InlineArray<2, Position.Source>) {
        for index in kept.indices where index < sources.count {
            let place = sources.count &- 1 &- index
            kept[index].ssrc = sources[place].ssrc
            kept[index].isPresent = true
            kept[index].control = UInt64(sources[place].controlNext)
            kept[index].keep(sources[place].window)
        }
    }

    private init(_ master: MasterKey, _ limits: Limits, isReserving: Bool) {
        (suite, self.limits, self.isReserving) = (master.suite, limits, isReserving)
        rtp = Transform(master, for: .rtp)
        rtcp = Transform(master, for: .rtcp)
        sources.reserveCapacity(limits.sources)
    }

    /// Under session keys as they are, without sources: the vectors of the RFCs.
    init(_ suite: Suite, rtp: SessionKeys, rtcp: SessionKeys) {
        (self.suite, limits, isReserving) = (suite, Limits(), false)
        self.rtp = Transform(suite, rtp, tagLength: suite.tagLength)
        self.rtcp = Transform(suite, rtcp, tagLength: suite.controlTagLength)
    }

    // MARK: Sources

    /// A source whose first packet bears `sequence`; one that is there already stays as it is.
    public mutating func open(_ ssrc: SSRC, at sequence: SequenceNumber, rollover: UInt32 = 0) throws(Failure) {
        guard place(of: ssrc.value) == nil else { return }
        try add(ssrc.value, next: UInt64(rollover) << 16 | UInt64(sequence.value), controlNext: 0)
    }

    /// The sequence number with which a source goes on; nil for one that is not there.
    public func nextSequence(of ssrc: SSRC) -> SequenceNumber? {
        place(of: ssrc.value).map { SequenceNumber(UInt16(truncatingIfNeeded: sources[$0].next)) }
    }

    private mutating func add(_ ssrc: UInt32, next: UInt64, controlNext: UInt32) throws(Failure) {
        guard sources.count < limits.sources else { throw .tooManySources }
        let window = next > 0 ? ReplayWindow(closedTo: next - 1) : ReplayWindow()
        sources.append(
            Source(
                ssrc: ssrc, window: window, end: isReserving ? next : Self.indexCount, controlNext: controlNext,
                controlEnd: isReserving ? controlNext : Self.controlIndexCount))
        needsReservation = isReserving
    }

    @inline(__always)
    private func place(of ssrc: UInt32) -> Int? {
        for place in sources.indices where sources[place].ssrc == ssrc { return place }
        return nil
    }

    /// Outside of reservations a source is there with its first packet, and before it nothing is closed: packets may come out of order.
    @inline(__always)
    private mutating func findOrAdd(_ ssrc: UInt32) throws(Failure) -> Int {
        if let place = place(of: ssrc) { return place }
        guard !isReserving else { throw .unreserved }
        try add(ssrc, next: 0, controlNext: 0)
        return sources.count - 1
    }

    // MARK: Reservations

    /// Up to where every source wants to go; nothing is changed.
    public func reserve() -> Reservation {
        Reservation(sources: sources.map { source in
            Reservation.Source(
                ssrc: SSRC(source.ssrc), end: max(source.end, min(source.next + UInt64(limits.reservedPackets), Self.indexCount - 1)),
                controlEnd: max(
                    source.controlEnd, min(source.controlNext + UInt32(limits.reservedControlPackets), Self.controlIndexCount)))
        })
    }

    /// This reservation is kept: packets may go up to its ends.
    public mutating func commit(_ reservation: Reservation) {
        needsReservation = false
        for reserved in reservation.sources {
            guard isReserving, let place = place(of: reserved.ssrc.value) else { continue }
            sources[place].end = max(sources[place].end, min(reserved.end, Self.indexCount))
            sources[place].controlEnd = max(sources[place].controlEnd, min(reserved.controlEnd, Self.controlIndexCount))
        }
        for place in sources.indices { noteReservation(of: place) }
    }

    @inline(__always)
    private mutating func noteReservation(of place: Int) {
        guard isReserving, !needsReservation else { return }
        let (next, controlNext) = (sources[place].next, sources[place].controlNext)
        needsReservation = sources[place].end < next &+ UInt64(truncatingIfNeeded: limits.reservedPackets / 2)
            || sources[place].controlEnd < controlNext &+ UInt32(truncatingIfNeeded: limits.reservedControlPackets / 2)
    }

    // MARK: Packets

    /// Protects the first `count` bytes; their new length. The buffer has room for `suite.tagLength` bytes more.
    public mutating func protect(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        precondition(count >= 0 && count <= packet.count - suite.tagLength, "the caller's buffer has room for the tag")
        let head = try PacketHead(packet.span, count: count)
        let place = try findOrAdd(head.ssrc)
        let index = try sources[place].window.index(of: head.sequence)
        guard sources[place].window.isFresh(index, length: limits.replayWindow) else { throw .replayed }
        guard index < sources[place].end else { throw isReserving ? .unreserved : .exhausted }
        let length = rtp.protect(&packet, clear: head.headerLength, end: count, ssrc: head.ssrc, index: index)
        sources[place].window.accept(index)
        noteReservation(of: place)
        return length
    }

    /// Protects the RTCP packet in the first `count` bytes; its new length. The buffer has room for `suite.controlOverhead` bytes more.
    public mutating func protectControl(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        precondition(count >= 0 && count <= packet.count - suite.controlOverhead, "the caller's buffer has room for word and tag")
        let ssrc = try PacketHead.controlSource(packet.span, count: count)
        let place = try findOrAdd(ssrc)
        let index = sources[place].controlNext
        guard index < Self.controlIndexCount else { throw .exhausted }
        guard index < sources[place].controlEnd else { throw .unreserved }
        let length = rtcp.protectControl(&packet, end: count, ssrc: ssrc, index: index)
        sources[place].controlNext = index &+ 1
        noteReservation(of: place)
        return length
    }
}
