public import Deadlines
public import RTP

/// Puts the packets of one source in order for a decoder (RFC 3550 §5.1: order is that of sequence numbers).
///
/// It restores order, not pace: whoever plays the sound has a buffer for that. A packet in order therefore passes at once and
/// is never copied; one that came early waits until the gap before it is closed, at most for the delay that the source's
/// jitter makes likely to help.
public struct JitterBuffer: ~Copyable {
    public struct Settings: Hashable, Sendable {
        /// A gap is waited for at least and at most so long.
        public let floor: Interval
        public let ceiling: Interval
        /// As many packets may wait.
        public let capacity: Int

        public init(floor: Interval = .milliseconds(10), ceiling: Interval = .milliseconds(120), capacity: Int = 32) {
            self.floor = max(.zero, floor)
            self.ceiling = max(self.floor, ceiling)
            // A power of two divides the sequence, so that places do not clash where it wraps.
            let wished = max(2, min(256, capacity))
            self.capacity = wished.nonzeroBitCount == 1 ? wished : 1 << (Int.bitWidth - wished.leadingZeroBitCount)
        }
    }

    public struct Counters: Hashable, Sendable {
        public internal(set) var received = 0
        /// Came after their place had been given up.
        public internal(set) var late = 0
        public internal(set) var duplicates = 0
        /// Came out of order, in time.
        public internal(set) var reordered = 0
        /// Given up.
        public internal(set) var lost = 0
        /// Longer than any packet that is transcoded, or far from the sequence.
        public internal(set) var refused = 0
    }

    /// What becomes of a packet that arrives.
    public enum Arrival: Hashable, Sendable {
        /// It is the next, after so many lost ones; then others may be ready.
        case next(lost: Int)
        /// It waits.
        case held
        case late, duplicate, refused
        /// It is so far ahead that what waits must be taken first (`release`), and then this packet brought again.
        case crowded
    }

    /// A packet that waited.
    public struct Entry: Hashable, Sendable {
        public let timestamp: Timestamp
        public let content: Content
        /// Packets given up just before it.
        public let lost: Int
        let start: Int
        let length: Int
    }

    private struct Slot {
        var isTaken = false
        var sequence = SequenceNumber(0)
        var timestamp = Timestamp(0)
        var content = Content.sound
        var length = 0
        var arrived = Instant(nanoseconds: 0)
    }

    /// An Ethernet frame holds no more.
    static let largestPacket = 1500
    /// RFC 3550 A.1.
    private static let maximumDropout = 3000

    public private(set) var counters = Counters()
    private let settings: Settings
    private var slots: [Slot] = []
    private var memory: [UInt8] = []
    private var waiting = 0
    private var expected: SequenceNumber?
    /// Bit n: the packet n + 1 before `expected` arrived.
    private var seen: UInt64 = 0
    private var strayNext: SequenceNumber?
    private var estimate: DelayEstimate
    /// When the gap that is waited for, or the last one given up, was noticed.
    private var gapNoticed: Instant?

    public init(clockRate: Int, settings: Settings = Settings()) {
        self.settings = settings
        estimate = DelayEstimate(clockRate: clockRate)
    }

    /// How long a gap is waited for.
    public var targetDelay: Interval { max(settings.floor, min(settings.ceiling, estimate.delay)) }

    /// When `release` is to be called if nothing arrives before.
    public var deadline: Instant? {
        guard waiting > 0, let gapNoticed else { return nil }
        return gapNoticed + targetDelay
    }

    /// A packet arrived. What follows it in order is then taken with `release`.
    public mutating func arrive(
        _ content: Content, sequence: SequenceNumber, timestamp: Timestamp, payload: Span<UInt8>, now: Instant
    ) -> Arrival {
        guard payload.count <= Self.largestPacket else {
            counters.refused += 1
            return .refused
        }
        guard let expected else { return accept(sequence, timestamp, content, lost: 0, now) }
        let distance = sequence.distance(from: expected)
        if distance == 0, !isHeld(expected) {
            if waiting > 0, let gapNoticed {
                counters.reordered += 1
                estimate.lateness(now - gapNoticed)
            }
            return accept(sequence, timestamp, content, lost: 0, now)
        }
        if distance < 0 { return tooLate(sequence, -distance, timestamp, content, now) }
        if distance >= Self.maximumDropout { return stray(sequence, timestamp, content, now) }
        guard distance < settings.capacity else {
            // As if all between were lost: nothing waits for them so long.
            guard waiting == 0 else { return .crowded }
            gapNoticed = now
            return accept(sequence, timestamp, content, lost: distance, now)
        }
        return hold(content, sequence, timestamp, payload, now)
    }

    /// The next packet that waited, if its turn has come; `force` gives up every gap.
    public mutating func release(now: Instant, force: Bool = false) -> Entry? {
        guard waiting > 0, let expected else { return nil }
        var lost = 0
        if !isHeld(expected) {
            guard force || now >= deadline ?? now else { return nil }
            repeat { lost += 1 } while lost < settings.capacity && !isHeld(expected.advanced(by: lost))
        }
        let sequence = expected.advanced(by: lost)
        let index = place(sequence)
        slots[index].isTaken = false
        waiting -= 1
        let slot = slots[index]
        advance(past: sequence, lost: lost)
        counters.lost += lost
        if waiting > 0, !isHeld(sequence.next) { noticeGap() }
        return Entry(
            timestamp: slot.timestamp, content: slot.content, lost: lost, start: index * Self.largestPacket, length: slot.length)
    }

    /// What a packet that was just released holds, until the next one arrives.
    @_lifetime(borrow self)
    public borrowing func payload(of entry: Entry) -> Span<UInt8> {
        memory.span.extracting(entry.start..<(entry.start + entry.length))
    }

    /// Another source begins: what waits is dropped, what was counted and learnt stays.
    public mutating func restart() {
        for index in slots.indices { slots[index].isTaken = false }
        (waiting, expected, seen, strayNext, gapNoticed) = (0, nil, 0, nil, nil)
        estimate.restart()
    }

    // MARK: Arrivals

    private mutating func accept(
        _ sequence: SequenceNumber, _ timestamp: Timestamp, _ content: Content, lost: Int, _ now: Instant
    ) -> Arrival {
        note(timestamp, content, now)
        counters.lost += lost
        advance(past: sequence, lost: lost)
        if waiting > 0, !isHeld(sequence.next) { noticeGap() }
        return .next(lost: lost)
    }

    private mutating func hold(
        _ content: Content, _ sequence: SequenceNumber, _ timestamp: Timestamp, _ payload: Span<UInt8>, _ now: Instant
    ) -> Arrival {
        guard !isHeld(sequence) else {
            counters.duplicates += 1
            return .duplicate
        }
        if slots.isEmpty {
            // Once in a stream's life, and only if it needs it.
            slots = Array(repeating: Slot(), count: settings.capacity)
            memory = Array(repeating: 0, count: settings.capacity * Self.largestPacket)
        }
        note(timestamp, content, now)
        let index = place(sequence)
        let start = index * Self.largestPacket
        var bytes = memory.mutableSpan
        for offset in payload.indices { bytes[start + offset] = payload[offset] }
        slots[index] = Slot(
            isTaken: true, sequence: sequence, timestamp: timestamp, content: content, length: payload.count, arrived: now)
        if waiting == 0 { gapNoticed = now }
        waiting += 1
        return .held
    }

    private mutating func tooLate(
        _ sequence: SequenceNumber, _ distance: Int, _ timestamp: Timestamp, _ content: Content, _ now: Instant
    ) -> Arrival {
        guard distance <= UInt64.bitWidth else { return stray(sequence, timestamp, content, now) }
        let bit: UInt64 = 1 << UInt64(distance - 1)
        guard seen & bit == 0 else {
            counters.duplicates += 1
            return .duplicate
        }
        seen |= bit
        counters.late += 1
        if let gapNoticed { estimate.lateness(now - gapNoticed) }
        return .late
    }

    /// RFC 3550 A.1: a jump is believed when the next packet follows it, for then the source restarted.
    private mutating func stray(_ sequence: SequenceNumber, _ timestamp: Timestamp, _ content: Content, _ now: Instant) -> Arrival {
        guard sequence == strayNext else {
            strayNext = sequence.next
            counters.refused += 1
            return .refused
        }
        guard waiting == 0 else { return .crowded }
        restart()
        return accept(sequence, timestamp, content, lost: 0, now)
    }

    private mutating func note(_ timestamp: Timestamp, _ content: Content, _ now: Instant) {
        counters.received += 1
        strayNext = nil
        // All packets of an event have the timestamp of its beginning (RFC 4733 §2.3): they tell nothing of the way.
        if content != .event { estimate.arrival(timestamp, now: now) }
    }

    // MARK: Places

    private func place(_ sequence: SequenceNumber) -> Int { Int(sequence.value) % settings.capacity }

    private func isHeld(_ sequence: SequenceNumber) -> Bool {
        guard !slots.isEmpty else { return false }
        let slot = slots[place(sequence)]
        return slot.isTaken && slot.sequence == sequence
    }

    private mutating func advance(past sequence: SequenceNumber, lost: Int) {
        expected = sequence.next
        seen = lost + 1 < UInt64.bitWidth ? seen << UInt64(lost + 1) | 1 : 1
    }

    /// Behind what was just taken there is a gap again: it has been known since the first packet after it arrived.
    private mutating func noticeGap() {
        guard let expected else { return }
        for distance in 1..<settings.capacity where isHeld(expected.advanced(by: distance)) {
            gapNoticed = slots[place(expected.advanced(by: distance))].arrived
            return
        }
    }
}
