internal import Deadlines
internal import RTP

/// A stream made of another one: own SSRC, own continuous counters, own packet length, whatever the source does.
///
/// Sequence numbers follow the source's distances, so that a loss stays visible as one; the numbering goes on without a break
/// when the source changes, pauses or starts anew, with the marker bit set (RFC 3551 §4.1).
struct OutgoingStream {
    /// RFC 3550 A.1: beyond these the source has restarted.
    private static let maximumDropout = 3000
    private static let maximumMisorder = 100
    /// A longer silence between two neighbouring packets is a clock that was set anew: two minutes.
    static let maximumGap: UInt32 = 120 * 8000

    var ssrc: SSRC {
        get { place.ssrc }
        set { place.ssrc = newValue }
    }
    /// Samples in each packet of sound, at 8 kHz.
    var packetSamples: Int
    /// Ticks of its timestamps in a second.
    var clockRate = 8000
    private(set) var place: Place

    private(set) var sequence: SequenceNumber {
        get { place.sequence }
        set { place.sequence = newValue }
    }
    private(set) var timestamp: Timestamp {
        get { place.timestamp }
        set { place.timestamp = newValue }
    }
    private(set) var packets: Int {
        get { place.packets }
        set { place.packets = newValue }
    }
    private(set) var octets: Int {
        get { place.octets }
        set { place.octets = newValue }
    }
    private(set) var lastSentAt: Instant? {
        get { place.hasSent ? Instant(nanoseconds: place.sentAt) : nil }
        set { (place.hasSent, place.sentAt) = (newValue != nil, newValue?.nanoseconds ?? 0) }
    }
    private var sourceSequence: SequenceNumber? {
        get { place.hasSource ? place.sourceSequence : nil }
        set { (place.hasSource, place.sourceSequence) = (newValue != nil, newValue ?? SequenceNumber(0)) }
    }
    private var sourceTimestamp: Timestamp {
        get { place.sourceTimestamp }
        set { place.sourceTimestamp = newValue }
    }
    private var timestampOffset: UInt32 {
        get { place.timestampOffset }
        set { place.timestampOffset = newValue }
    }
    private var isRestarting: Bool {
        get { place.isRestarting }
        set { place.isRestarting = newValue }
    }

    /// All that tells where the stream is, as plain memory.
    struct Place: BitwiseCopyable, Sendable {
        var ssrc: SSRC
        var sequence: SequenceNumber
        var timestamp: Timestamp
        var packets = 0
        var octets = 0
        var hasSent = false
        var sentAt: UInt64 = 0

        // Where the source was at its newest packet, and how its clock maps to ours.
        var hasSource = false
        var sourceSequence = SequenceNumber(0)
        var sourceTimestamp = Timestamp(0)
        var timestampOffset: UInt32 = 0
        /// Set the marker on the next packet of sound.
        var isRestarting = true

        init(ssrc: SSRC, sequence: SequenceNumber, timestamp: Timestamp) {
            (self.ssrc, self.sequence, self.timestamp) = (ssrc, sequence, timestamp)
        }
    }

    // Sound that does not fill a packet yet.
    private var residue = InlineArray<480, UInt8>(repeating: 0xff)
    private var residueCount = 0
    private var residueTimestamp = Timestamp(0)

    init(ssrc: SSRC, sequence: SequenceNumber, timestamp: Timestamp, packetSamples: Int = 160) {
        place = Place(ssrc: ssrc, sequence: sequence, timestamp: timestamp)
        self.packetSamples = packetSamples
    }

    /// Goes on where another process was: with the next number, and with the same mapping, so nobody hears of the change.
    mutating func resume(_ place: Place) { (self.place, residueCount) = (place, 0) }

    /// Sound waits for more of it.
    var hasResidue: Bool { residueCount > 0 }

    /// These followed upon each other and upon the source's newest packet, and left under our numbers for them.
    mutating func sent(_ run: PacketRun) {
        (sequence, timestamp) = (sequence.advanced(by: run.packets), Timestamp(run.timestamp.value &+ timestampOffset))
        (sourceSequence, sourceTimestamp, lastSentAt) = (run.sequence, run.timestamp, run.arrivedAt)
        packets += run.packets
        octets += run.octets - run.packets * Header.length
    }

    /// What one packet may bring so that it fits a buffer, whatever is left from the last one.
    var maximumPayload: Int { 7 * packetSamples }

    /// The next packet comes from another source, or after a pause.
    mutating func interrupt() { sourceSequence = nil }

    /// Changes the packet length; what has not been sent is dropped.
    mutating func repacketise(_ samples: Int) {
        guard samples != packetSamples else { return }
        (packetSamples, residueCount) = (samples, 0)
    }

    // MARK: Packets

    /// Forwards a packet of G.711; false when it came too late to be of use.
    mutating func sound(
        _ header: Header, payload: Span<UInt8>, through table: [UInt8]?, as payloadType: PayloadType, now: Instant,
        into buffer: inout PacketBuffer
    ) -> Bool {
        guard let distance = follow(header, isEvent: false, now: now) else { return false }
        let mapped = Timestamp(header.timestamp.value &+ timestampOffset)
        if payload.count == packetSamples && residueCount == 0 {
            let own = sequence.advanced(by: distance)
            let marker = header.marker || isRestarting
            write(payload, through: table, payloadType, own, mapped, marker: marker, isNewest: distance > 0, now: now, into: &buffer)
            return true
        }
        guard distance > 0 else { return false }
        sequence = sequence.advanced(by: distance - 1)
        if residueCount > 0 && residueTimestamp.advanced(by: residueCount) != mapped { residueCount = 0 }
        if residueCount == 0 { residueTimestamp = mapped }
        var marker = header.marker
        for index in payload.indices {
            residue[residueCount] = table.map { $0[Int(payload[index])] } ?? payload[index]
            residueCount += 1
            guard residueCount == packetSamples else { continue }
            flush(as: payloadType, marker: marker || isRestarting, now: now, into: &buffer)
            marker = false
        }
        return true
    }

    /// Forwards a packet of any coding as it is, under our number for it.
    mutating func coded(
        _ header: Header, _ packet: Span<UInt8>, as payloadType: PayloadType, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        guard let distance = follow(header, isEvent: false, now: now) else { return false }
        write(
            packet.extracting(header.payloadRange), through: nil, payloadType, sequence.advanced(by: distance),
            Timestamp(header.timestamp.value &+ timestampOffset), marker: header.marker || isRestarting, isNewest: distance > 0, now: now,
            into: &buffer)
        return true
    }

    /// Forwards a telephone event as it is, under our number for it.
    mutating func event(
        _ header: Header, _ packet: Span<UInt8>, as payloadType: PayloadType, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        describe(header, packet.extracting(header.payloadRange), as: payloadType, now: now, into: &buffer)
    }

    /// The next sound comes after a pause.
    mutating func pause() { isRestarting = true }

    /// What is no sound takes the place of the packet it came with.
    mutating func describe(
        _ header: Header, _ payload: Span<UInt8>, as payloadType: PayloadType, now: Instant, into buffer: inout PacketBuffer
    ) -> Bool {
        guard let distance = follow(header, isEvent: true, now: now) else { return false }
        write(
            payload, through: nil, payloadType, sequence.advanced(by: distance),
            Timestamp(header.timestamp.value &+ timestampOffset), marker: header.marker, isNewest: distance > 0, now: now, into: &buffer)
        return true
    }

    /// A packet of an event that was made here, at a time of the stream's own clock.
    mutating func insert(
        _ payload: Span<UInt8>, as payloadType: PayloadType, at timestamp: Timestamp, marker: Bool, now: Instant,
        into buffer: inout PacketBuffer
    ) {
        let header = Header(payloadType: payloadType, sequence: sequence.next, timestamp: timestamp, ssrc: ssrc, marker: marker)
        buffer.append(header, payload: payload, through: nil)
        note(header, octets: payload.count, now: now)
    }

    /// A packet that was made here, with its place in the clock of whoever made it.
    mutating func made(
        _ payload: Span<UInt8>, through table: [UInt8]? = nil, as payloadType: PayloadType, timestamp made: Timestamp, marker: Bool,
        now: Instant, into buffer: inout PacketBuffer
    ) {
        let header = Header(payloadType: payloadType, sequence: sequence, timestamp: made, ssrc: ssrc)
        if sourceSequence == nil { _ = restart(header, now: now) }
        write(
            payload, through: table, payloadType, sequence.next, Timestamp(made.value &+ timestampOffset), marker: marker || isRestarting,
            isNewest: true, now: now, into: &buffer)
    }

    /// A packet that is not forwarded (comfort noise, an unknown format) is no loss.
    mutating func skip(_ header: Header) {
        if let source = sourceSequence, header.sequence == source.next { sourceSequence = header.sequence }
    }

    /// What the clock of the stream shows at `now` (RFC 3550 §6.4.1: a sender report's RTP timestamp).
    func timestamp(at now: Instant) -> Timestamp {
        guard let lastSentAt else { return timestamp }
        return timestamp.advanced(by: samples(in: now - lastSentAt))
    }

    // MARK: Following the source

    /// How far the packet's place lies from our last one (1: the next), or nil for a duplicate.
    private mutating func follow(_ header: Header, isEvent: Bool, now: Instant) -> Int? {
        guard let source = sourceSequence else { return restart(header, now: now) }
        let distance = header.sequence.distance(from: source)
        guard distance != 0 else { return nil }
        guard distance <= Self.maximumDropout, distance >= -Self.maximumMisorder else { return restart(header, now: now) }
        guard distance > 0 else { return distance }
        // An event keeps the timestamp of its beginning, which may lie behind the sound sent meanwhile.
        if !isEvent {
            let elapsed = header.timestamp.distance(from: sourceTimestamp)
            if elapsed < 0 || elapsed > Int(Self.maximumGap) { return restart(header, now: now) }
            sourceTimestamp = header.timestamp
        }
        sourceSequence = header.sequence
        return distance
    }

    /// Maps the source's counters so that ours go on: the next number, and as much later as the clock says.
    private mutating func restart(_ header: Header, now: Instant) -> Int {
        residueCount = 0
        var elapsed = 0
        if let lastSentAt {
            elapsed = max(packetSamples * clockRate / 8000, min(samples(in: now - lastSentAt), 1 << 30))
        }
        timestampOffset = timestamp.advanced(by: elapsed).value &- header.timestamp.value
        (sourceSequence, sourceTimestamp, isRestarting) = (header.sequence, header.timestamp, true)
        return 1
    }

    private func samples(in interval: Interval) -> Int {
        let (seconds, rest) = interval.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Int(seconds) * clockRate + Int(rest) * clockRate / 1_000_000_000
    }

    // MARK: Writing

    private mutating func flush(as payloadType: PayloadType, marker: Bool, now: Instant, into buffer: inout PacketBuffer) {
        let header = Header(
            payloadType: payloadType, sequence: sequence.next, timestamp: residueTimestamp, ssrc: ssrc, marker: marker)
        buffer.append(header, payload: residue.span.extracting(0..<residueCount), through: nil)
        note(header, octets: residueCount, now: now)
        residueTimestamp = residueTimestamp.advanced(by: residueCount)
        (residueCount, isRestarting) = (0, false)
    }

    private mutating func write(
        _ payload: Span<UInt8>, through table: [UInt8]?, _ payloadType: PayloadType, _ own: SequenceNumber, _ mapped: Timestamp,
        marker: Bool, isNewest: Bool, now: Instant, into buffer: inout PacketBuffer
    ) {
        let header = Header(payloadType: payloadType, sequence: own, timestamp: mapped, ssrc: ssrc, marker: marker)
        buffer.append(header, payload: payload, through: table)
        if isNewest {
            note(header, octets: payload.count, now: now)
            isRestarting = false
        } else {
            packets += 1
            octets += payload.count
        }
    }

    private mutating func note(_ header: Header, octets: Int, now: Instant) {
        sequence = header.sequence
        // An event's timestamp is that of its beginning: the clock of the stream does not go back with it.
        if header.timestamp.distance(from: timestamp) > 0 || lastSentAt == nil { (timestamp, lastSentAt) = (header.timestamp, now) }
        packets += 1
        self.octets += octets
    }
}
