import RTP

/// Digits on their way to a phone as RFC 4733 events: each held for its duration, with a pause after it.
struct DigitSender {
    static let queueLimit = 128

    private var waiting: [UInt8] = []
    private var current: EventSender?
    private var duration = 0
    private var pauseTicks = 0
    private var pauseLeft = 0

    var isIdle: Bool { current == nil && waiting.isEmpty && pauseLeft == 0 }

    /// Durations in ms; false when a character is no digit or too many wait.
    mutating func add(_ digits: String, duration: Int, interval: Int) -> Bool {
        let codes = digits.compactMap { TelephoneEvent.code(of: $0) }
        guard codes.count == digits.count, waiting.count + codes.count <= Self.queueLimit else { return false }
        waiting += codes
        self.duration = min(max(duration, 40), 8000) * 8
        pauseTicks = min(max(interval, 40), 8000) / 20
        return true
    }

    var record: Record { Record(codes: waiting, duration: duration, pauseTicks: pauseTicks) }

    var waitingCount: Int { waiting.count }

    /// Goes on with the last `left` of another process; the one that was being sent has begun to be heard, and is not sent twice.
    init(_ record: Record, left: Int) {
        waiting = Array(record.codes.suffix(min(max(0, left), Self.queueLimit)))
        (duration, pauseTicks) = (record.duration, record.pauseTicks)
    }

    init() {}

    /// What goes out in this tick instead of sound, or nil: sound goes on.
    mutating func next(at timestamp: UInt32) -> (packet: EventSender.Packet, timestamp: UInt32)? {
        if pauseLeft > 0 {
            pauseLeft -= 1
            return nil
        }
        if current == nil, !waiting.isEmpty {
            current = EventSender(code: waiting.removeFirst(), timestamp: Timestamp(timestamp), duration: duration)
        }
        guard let started = current?.timestamp, let packet = current?.next() else {
            if current != nil { (current, pauseLeft) = (nil, pauseTicks) }
            return nil
        }
        return (packet, started.value)
    }
}
