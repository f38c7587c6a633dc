public import Deadlines
public import RTP

/// One direction of a transcoded leg: puts a source's packets in order, transcodes them, and goes on through its pauses.
///
/// Sans-IO: packets and time in, packets out; `deadline` says when `expire` wants to be called.
public struct TranscodingStream: ~Copyable {
    public struct Settings: Hashable, Sendable {
        public let jitter: JitterBuffer.Settings
        /// Whether a pause the source has announced is filled with noise, and for how long at most.
        public let fillsPauses: Bool
        public let longestPause: Interval

        public init(jitter: JitterBuffer.Settings = .init(), fillsPauses: Bool = true, longestPause: Interval = .seconds(30)) {
            (self.jitter, self.fillsPauses, self.longestPause) = (jitter, fillsPauses, longestPause)
        }
    }

    /// The noise of a pause is sent so much later than sound would be, so that a packet that ends the pause is not too late for it.
    private static let slack = Interval.milliseconds(20)

    private var buffer: JitterBuffer
    private var transcoder: Transcoder
    private let settings: Settings
    private var nextFill: Instant?
    private var pauseEnd = Instant.distantFuture

    public init(_ transcoder: consuming Transcoder, clockRate: Int, settings: Settings = Settings()) {
        self.transcoder = transcoder
        self.settings = settings
        buffer = JitterBuffer(clockRate: clockRate, settings: settings.jitter)
    }

    public var counters: JitterBuffer.Counters { buffer.counters }
    public var targetDelay: Interval { buffer.targetDelay }
    public var damaged: Int { transcoder.damaged }
    /// In the incoming clock.
    public var concealed: Int { transcoder.concealed }
    public var packetTime: Int { transcoder.packetTime }

    /// When `expire` is to be called if nothing arrives before.
    public var deadline: Instant? {
        guard let gap = buffer.deadline else { return nextFill }
        return nextFill.map { min($0, gap) } ?? gap
    }

    /// A packet arrived. `packets` is emptied first.
    @discardableResult
    public mutating func receive(
        _ content: Content, _ payload: Span<UInt8>, sequence: SequenceNumber, timestamp: Timestamp, now: Instant,
        into packets: inout TranscodedPackets
    ) -> JitterBuffer.Arrival {
        packets.removeAll()
        var arrival = buffer.arrive(content, sequence: sequence, timestamp: timestamp, payload: payload, now: now)
        if arrival == .crowded {
            drain(now: now, force: true, into: &packets)
            arrival = buffer.arrive(content, sequence: sequence, timestamp: timestamp, payload: payload, now: now)
        }
        if case .next(let lost) = arrival {
            take(content, payload, timestamp, lost: lost, now: now, into: &packets)
            drain(now: now, force: false, into: &packets)
        }
        return arrival
    }

    /// The deadline has come. `packets` is emptied first.
    public mutating func expire(now: Instant, into packets: inout TranscodedPackets) {
        packets.removeAll()
        if let due = buffer.deadline, due <= now { drain(now: now, force: false, into: &packets) }
        guard let due = nextFill, due <= now else { return }
        guard now < pauseEnd else { return nextFill = nil }
        transcoder.fill(into: &packets)
        let next = due + .milliseconds(transcoder.packetTime)
        // A thread that slept too long does not catch up with a burst.
        nextFill = next <= now ? now + .milliseconds(transcoder.packetTime) : next
    }

    /// Another source takes the place of this one, `elapsed` after its last packet.
    public mutating func interrupt(elapsed: Interval, into packets: inout TranscodedPackets) {
        packets.removeAll()
        buffer.restart()
        transcoder.interrupt(afterMilliseconds: Int(elapsed.nanoseconds / 1_000_000), into: &packets)
        nextFill = nil
    }

    /// Where an event of the source begins in the outgoing clock.
    public func outgoing(_ timestamp: Timestamp) -> Timestamp { transcoder.outgoing(timestamp) }

    private mutating func drain(now: Instant, force: Bool, into packets: inout TranscodedPackets) {
        while packets.hasRoom, let entry = buffer.release(now: now, force: force) {
            Self.take(entry, from: buffer, by: &transcoder, into: &packets)
        }
        schedule(now: now)
    }

    private static func take(
        _ entry: JitterBuffer.Entry, from buffer: borrowing JitterBuffer, by transcoder: inout Transcoder,
        into packets: inout TranscodedPackets
    ) {
        take(entry.content, buffer.payload(of: entry), entry.timestamp, lost: entry.lost, by: &transcoder, into: &packets)
    }

    private mutating func take(
        _ content: Content, _ payload: Span<UInt8>, _ timestamp: Timestamp, lost: Int, now: Instant,
        into packets: inout TranscodedPackets
    ) {
        Self.take(content, payload, timestamp, lost: lost, by: &transcoder, into: &packets)
        schedule(now: now)
    }

    private static func take(
        _ content: Content, _ payload: Span<UInt8>, _ timestamp: Timestamp, lost: Int, by transcoder: inout Transcoder,
        into packets: inout TranscodedPackets
    ) {
        switch content {
        case .sound: transcoder.sound(payload, timestamp: timestamp, lost: lost, into: &packets)
        case .comfortNoise: transcoder.comfortNoise(payload, timestamp: timestamp, lost: lost, into: &packets)
        case .event: break
        }
    }

    private mutating func schedule(now: Instant) {
        guard settings.fillsPauses, transcoder.isPausing else { return nextFill = nil }
        nextFill = now + .milliseconds(transcoder.packetTime) + Self.slack
        pauseEnd = now + settings.longestPause
    }
}
