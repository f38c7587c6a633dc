internal import RTP

/// Checks and opens what the other side sends (RFC 3711 §3.3), in place, without allocation.
///
/// Until a packet has turned out to be authentic, it changes nothing: not the packet, no window, no rollover counter, and no source is
/// added for it (RELIABILITY V2, V3).
public struct ReceivingContext: ~Copyable {
    private struct Source {
        let ssrc: UInt32
        var window = ReplayWindow()
        var control = ReplayWindow()
        /// When it was heard last, counted in packets.
        var usedAt: UInt64 = 0
    }

    public let suite: Suite
    public let limits: Limits

    private let rtp: Transform
    private let rtcp: Transform
    private var sources: [Source] = []
    /// Those that made room: closed up to their highest indexes.
    private var former: [Source] = []
    private var clock: UInt64 = 0

    public init(_ master: MasterKey, limits: Limits = Limits()) {
        (suite, self.limits) = (master.suite, limits)
        rtp = Transform(master, for: .rtp)
        rtcp = Transform(master, for: .rtcp)
        sources.reserveCapacity(limits.sources)
    }

    /// Goes on where another was; windows of another shape are closed.
    public init(_ master: MasterKey, limits: Limits = Limits(), resuming snapshot: ReceivingSnapshot) {
        self.init(master, limits: limits)
        for saved in snapshot.sources.prefix(limits.sources + limits.formerSources) {
            var source = Source(ssrc: saved.ssrc.value)
            if let highest = saved.highest, highest < SendingContext.indexCount {
                source.window = ReplayWindow(highest: highest, words: saved.window) ?? ReplayWindow(closedTo: highest)
            }
            if let highest = saved.controlHighest, highest < UInt64(SendingContext.controlIndexCount) {
                source.control = ReplayWindow(highest: highest, words: saved.controlWindow) ?? ReplayWindow(closedTo: highest)
            }
            if sources.count < limits.sources { sources.append(source) } else { former.append(source) }
        }
    }

    /// Goes on where a position was kept; nil begins.
    init(_ master: MasterKey, limits: Limits, resuming position: Position?) {
        self.init(master, limits: limits)
        guard let position else { return }
        for index in position.receiving.indices.reversed() where position.receiving[index].isPresent {
            let kept = position.receiving[index]
            var source = Source(ssrc: kept.ssrc)
            source.window = kept.window
            if kept.hasControl { source.control = ReplayWindow(closedTo: kept.control) }
            sources.append(source)
        }
    }

    @inline(__always)
    func write(_ kept: inout InlineArray<4, Position.Source>) {
        var bound = UInt64.max
        for index in kept.indices where index < sources.count {
            // Those heard last: a phone has one, or two where it began anew.
            var place = -1
            for other in sources.indices where sources[other].usedAt < bound && (place < 0 || sources[other].usedAt > sources[place].usedAt) {
                place = other
            }
            guard place >= 0 else { return }
            bound = sources[place].usedAt
            kept[index].ssrc = sources[place].ssrc
            kept[index].isPresent = true
            kept[index].keep(sources[place].window)
            if let control = sources[place].control.highest { (kept[index].hasControl, kept[index].control) = (true, control) }
        }
    }

    /// Under session keys as they are: the vectors of the RFCs.
    init(_ suite: Suite, rtp: SessionKeys, rtcp: SessionKeys) {
        (self.suite, limits) = (suite, Limits())
        self.rtp = Transform(suite, rtp, tagLength: suite.tagLength)
        self.rtcp = Transform(suite, rtcp, tagLength: suite.controlTagLength)
    }

    public var snapshot: ReceivingSnapshot {
        ReceivingSnapshot(sources: (sources.sorted { $0.usedAt > $1.usedAt } + former).map { source in
            ReceivingSnapshot.Source(
                ssrc: SSRC(source.ssrc), highest: source.window.highest, window: source.window.saved,
                controlHighest: source.control.highest, controlWindow: source.control.saved)
        })
    }

    // MARK: Packets

    /// Opens the packet in the first `count` bytes; its length without the tag.
    public mutating func unprotect(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        let end = count &- suite.tagLength
        let head = try PacketHead(packet.span, count: end)
        // The tag is in the buffer, too.
        guard count <= packet.count else { throw .malformed }
        guard let place = place(of: head.ssrc) else {
            let window = try window(ofNew: head.ssrc)
            let index = try window.index(of: head.sequence)
            guard window.isFresh(index, length: limits.replayWindow) else { throw .replayed }
            if rtp.unprotect(&packet, clear: head.headerLength, end: end, ssrc: head.ssrc, index: index) {
                sources[add(head.ssrc)].window.accept(index)
                return end
            }
            let found = try latecomer(&packet, head, end: end)
            sources[add(head.ssrc)].window.accept(found)
            return end
        }
        let index = try sources[place].window.index(of: head.sequence)
        guard sources[place].window.isFresh(index, length: limits.replayWindow) else { throw .replayed }
        if rtp.unprotect(&packet, clear: head.headerLength, end: end, ssrc: head.ssrc, index: index) {
            sources[place].window.accept(index)
        } else {
            let found = try latecomer(&packet, head, end: end)
            sources[place].window.accept(found)
        }
        note(place)
        return end
    }

    /// RFC 3711 §3.3.1: who comes late has not seen the numbers begin again; which time it is, the tag tells. Only of the first source:
    /// when one has been heard, strangers cost one look.
    private func latecomer(_ packet: inout MutableSpan<UInt8>, _ head: PacketHead, end: Int) throws(Failure) -> UInt64 {
        for source in sources where source.window.highest != nil { throw .unauthentic }
        guard former.isEmpty else { throw .unauthentic }
        var index = UInt64(head.sequence)
        for _ in 0..<limits.rollovers {
            index += 1 << 16
            if rtp.unprotect(&packet, clear: head.headerLength, end: end, ssrc: head.ssrc, index: index) { return index }
        }
        throw .unauthentic
    }

    /// Opens the RTCP packet in the first `count` bytes; its length without word and tag.
    public mutating func unprotectControl(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        let end = count &- suite.controlOverhead
        let ssrc = try PacketHead.controlSource(packet.span, count: end)
        guard count <= packet.count else { throw .malformed }
        let word = packet.span.bigEndian32(at: rtcp.place(ofWordIn: count))
        let index = UInt64(word & ~(1 << 31))
        let place = place(of: ssrc)
        let window = if let place { sources[place].control } else { try control(ofNew: ssrc) }
        guard window.isFresh(index, length: limits.replayWindow) else { throw .replayed }
        guard rtcp.unprotectControl(&packet, end: end, ssrc: ssrc, word: word) else { throw .unauthentic }
        let own = place ?? add(ssrc)
        sources[own].control.accept(index)
        note(own)
        return end
    }

    // MARK: Sources

    @inline(__always)
    private func place(of ssrc: UInt32) -> Int? {
        for place in sources.indices where sources[place].ssrc == ssrc { return place }
        return nil
    }

    @inline(__always)
    private mutating func note(_ place: Int) {
        clock &+= 1
        sources[place].usedAt = clock
    }

    /// What is known of a source that is not there: nothing, or where it was when it made room.
    private func window(ofNew ssrc: UInt32) throws(Failure) -> ReplayWindow {
        if let before = former.first(where: { $0.ssrc == ssrc }) { return before.window }
        guard hasRoom else { throw .tooManySources }
        return ReplayWindow()
    }

    private func control(ofNew ssrc: UInt32) throws(Failure) -> ReplayWindow {
        if let before = former.first(where: { $0.ssrc == ssrc }) { return before.control }
        guard hasRoom else { throw .tooManySources }
        return ReplayWindow()
    }

    private var hasRoom: Bool { sources.count < limits.sources || former.count < limits.formerSources }

    /// Its first authentic packet has come. Of too many, the one that was silent for longest makes room; what it has sent stays used.
    private mutating func add(_ ssrc: UInt32) -> Int {
        var source = Source(ssrc: ssrc)
        if let before = former.firstIndex(where: { $0.ssrc == ssrc }) { source = former.remove(at: before) }
        clock &+= 1
        source.usedAt = clock
        guard sources.count >= limits.sources, let oldest = sources.indices.min(by: { sources[$0].usedAt < sources[$1].usedAt }) else {
            sources.append(source)
            return sources.count - 1
        }
        var leaving = sources[oldest]
        if let highest = leaving.window.highest { leaving.window = ReplayWindow(closedTo: highest) }
        if let highest = leaving.control.highest { leaving.control = ReplayWindow(closedTo: highest) }
        former.append(leaving)
        sources[oldest] = source
        return oldest
    }
}
