internal import Deadlines
internal import RTP

/// Keys that came as tones or in messages, on their way inside as events: by the clock, for there may be no sound to keep time by.
struct KeySender {
    struct Packet {
        var event: TelephoneEvent
        /// Of a key that goes down now.
        var isFirst: Bool
    }

    private struct Key {
        let code: UInt8
        /// Nil while it is held.
        var duration: Interval?
    }

    private static let step = Interval.milliseconds(20)
    /// Two keys are so far apart at least (ITU-T Q.24).
    private static let pause = Interval.milliseconds(40)
    static let shortest = Interval.milliseconds(40)
    /// What the field of an event holds is 8.19 s.
    static let longest = Interval.seconds(8)
    private static let capacity = 64

    private var waiting: [Key] = []
    private var current: (key: Key, began: Instant)?
    private var endsLeft = 0
    /// The length told last: what was told does not become shorter.
    private var told = Interval.zero
    private(set) var deadline: Instant?

    init() { waiting.reserveCapacity(4) }

    /// A key went down, for so long or until it is released; false when too many wait.
    mutating func press(_ code: UInt8, for duration: Interval?, now: Instant) -> Bool {
        guard waiting.count < Self.capacity else { return false }
        waiting.append(Key(code: code, duration: duration.map { max(Self.shortest, min($0, Self.longest)) }))
        deadline = deadline ?? now
        return true
    }

    /// The key that is held, if one is, has been so for so long.
    mutating func release(after duration: Interval) {
        let length = max(Self.shortest, min(duration, Self.longest))
        if let index = waiting.firstIndex(where: { $0.duration == nil }) {
            waiting[index].duration = length
        } else if current?.key.duration == nil {
            current?.key.duration = length
        }
    }

    /// The packet that is due, if one is.
    mutating func next(now: Instant) -> Packet? {
        guard let due = deadline, due <= now else { return nil }
        deadline = due + Self.step
        // A thread that slept too long does not catch up with a burst.
        if now - due > Self.step * 4 { deadline = now + Self.step }
        guard let (key, began) = current else { return begin(now: now) }
        let elapsed = now - began + Self.step
        let total = key.duration ?? Self.longest
        if endsLeft == 0, elapsed < total { return packet(key.code, elapsed, isEnd: false) }
        told = max(told, total)
        // RFC 4733 §2.5.1.4: the end is sent three times.
        if endsLeft == 0 { endsLeft = 3 }
        endsLeft -= 1
        if endsLeft == 0 { finish(now: now) }
        return packet(key.code, told, isEnd: true)
    }

    private mutating func begin(now: Instant) -> Packet? {
        guard !waiting.isEmpty else {
            deadline = nil
            return nil
        }
        let key = waiting.removeFirst()
        (current, told) = ((key, now), Self.step)
        return Packet(event: TelephoneEvent(code: key.code, isEnd: false, duration: Self.units(Self.step)), isFirst: true)
    }

    private mutating func finish(now: Instant) {
        current = nil
        deadline = waiting.isEmpty ? nil : now + Self.pause
    }

    private mutating func packet(_ code: UInt8, _ duration: Interval, isEnd: Bool) -> Packet {
        told = max(told, duration)
        return Packet(event: TelephoneEvent(code: code, isEnd: isEnd, duration: Self.units(told)), isFirst: false)
    }

    private static func units(_ duration: Interval) -> UInt16 { UInt16(clamping: duration.nanoseconds / 125_000) }
}
