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
    }

    public let suite: Suite
    public let limits: Limits

    private let rtp: Transform
    private let rtcp: Transform
    private var sources: [Source] = []

    public init(_ master: MasterKey, limits: Limits = Limits()) {
        (suite, self.limits) = (master.suite, limits)
        rtp = Transform(master, for: .rtp)
        rtcp = Transform(master, for: .rtcp)
        sources.reserveCapacity(limits.sources)
    }

    /// Goes on where another was; sources beyond the limit, and windows of another shape, begin anew.
    public init(_ master: MasterKey, limits: Limits = Limits(), resuming snapshot: ReceivingSnapshot) {
        self.init(master, limits: limits)
        for saved in snapshot.sources.prefix(limits.sources) {
            var source = Source(ssrc: saved.ssrc.value)
            if let highest = saved.highest, highest < SendingContext.indexCount {
                source.window = ReplayWindow(highest: highest, words: saved.window) ?? ReplayWindow(closedTo: highest)
            }
            if let highest = saved.controlHighest, highest < UInt64(SendingContext.controlIndexCount) {
                source.control = ReplayWindow(highest: highest, words: saved.controlWindow) ?? ReplayWindow(closedTo: highest)
            }
            sources.append(source)
        }
    }

    /// Under session keys as they are: the vectors of the RFCs.
    init(_ suite: Suite, rtp: SessionKeys, rtcp: SessionKeys) {
        (self.suite, limits) = (suite, Limits())
        self.rtp = Transform(suite, rtp, tagLength: suite.tagLength)
        self.rtcp = Transform(suite, rtcp, tagLength: suite.controlTagLength)
    }

    public var snapshot: ReceivingSnapshot {
        ReceivingSnapshot(sources: sources.map { source in
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
        let place = place(of: head.ssrc)
        var index = UInt64(head.sequence)
        if let place {
            index = try sources[place].window.index(of: head.sequence)
            guard sources[place].window.isFresh(index, length: limits.replayWindow) else { throw .replayed }
        } else if sources.count >= limits.sources {
            throw .tooManySources
        }
        guard rtp.unprotect(&packet, clear: head.headerLength, end: end, ssrc: head.ssrc, index: index) else { throw .unauthentic }
        sources[place ?? add(head.ssrc)].window.accept(index)
        return end
    }

    /// Opens the RTCP packet in the first `count` bytes; its length without word and tag.
    public mutating func unprotectControl(_ packet: inout MutableSpan<UInt8>, count: Int) throws(Failure) -> Int {
        let end = count &- suite.controlOverhead
        let ssrc = try PacketHead.controlSource(packet.span, count: end)
        guard count <= packet.count else { throw .malformed }
        let word = packet.span.bigEndian32(at: rtcp.place(ofWordIn: count))
        let index = UInt64(word & ~(1 << 31))
        let place = place(of: ssrc)
        if let place {
            guard sources[place].control.isFresh(index, length: limits.replayWindow) else { throw .replayed }
        } else if sources.count >= limits.sources {
            throw .tooManySources
        }
        guard rtcp.unprotectControl(&packet, end: end, ssrc: ssrc, word: word) else { throw .unauthentic }
        sources[place ?? add(ssrc)].control.accept(index)
        return end
    }

    @inline(__always)
    private func place(of ssrc: UInt32) -> Int? {
        for place in sources.indices where sources[place].ssrc == ssrc { return place }
        return nil
    }

    private mutating func add(_ ssrc: UInt32) -> Int {
        sources.append(Source(ssrc: ssrc))
        return sources.count - 1
    }
}
