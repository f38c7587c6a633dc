internal import Deadlines
internal import RTP

/// The keys of a phone on their way inside: whatever they come as, one stream of events.
struct InwardDigits: ~Copyable {
    /// What became of a packet of an event.
    enum Passage { case forward, leaveOut }

    /// Without a packet for so long, an event is over.
    private static let patience = Interval.milliseconds(200)

    /// The room gets none of it (`DigitTreatment.block`).
    var areBlocked = false
    var sender = KeySender()
    /// Keys for the owner, while they are blocked.
    private(set) var told: [UInt8] = []
    private static let mostTold = 64

    private var merge = DigitMerge()
    private var events = EventReceiver()
    /// The event that came already by another way.
    private var leftOut: Timestamp?
    private var eventUntil: Instant?
    private var isToneOn = false

    func isDown(at now: Instant) -> Bool { isToneOn || isEventDown(at: now) }

    /// Whether the phone sends an event: what it sounds like must not be heard besides.
    func isEventDown(at now: Instant) -> Bool { eventUntil.map { now < $0 } ?? false }

    mutating func interrupt() { (isToneOn, eventUntil) = (false, nil) }

    /// Another source counts anew.
    mutating func restart() {
        interrupt()
        (events, leftOut) = (EventReceiver(), nil)
    }

    mutating func takeTold() -> [UInt8] {
        defer { told.removeAll(keepingCapacity: true) }
        return told
    }

    /// A packet of an event.
    mutating func event(_ event: TelephoneEvent, at timestamp: Timestamp, now: Instant) -> Passage {
        let isFirst = events.receive(event, timestamp: timestamp) != nil
        // Its end comes three times, and may come again after the next has begun.
        if isFirst || eventUntil != nil { eventUntil = event.isEnd ? nil : now + Self.patience }
        guard event.digit != nil else { return areBlocked ? .leaveOut : .forward }
        if isFirst {
            let isNew = merge.isNew(event.code, by: .event, now: now)
            leftOut = isNew ? nil : timestamp
            if isNew { tell(event.code) }
        } else {
            merge.goesOn(event.code, now: now)
        }
        return areBlocked || leftOut == timestamp ? .leaveOut : .forward
    }

    /// A tone has begun.
    mutating func toneBegan(_ code: UInt8, isDigit: Bool, now: Instant) {
        isToneOn = true
        guard isDigit else { return }
        press(code, for: nil, by: .tone, now: now)
    }

    mutating func toneEnded(_ code: UInt8, samples: Int, isDigit: Bool, now: Instant) {
        isToneOn = false
        guard isDigit else { return }
        merge.goesOn(code, now: now)
        sender.release(after: .microseconds(samples * 125))
    }

    /// A message has told of a key.
    mutating func message(_ code: UInt8, for duration: Interval, now: Instant) {
        press(code, for: duration, by: .message, now: now)
    }

    private mutating func press(_ code: UInt8, for duration: Interval?, by means: DigitMerge.Means, now: Instant) {
        guard merge.isNew(code, by: means, now: now) else { return }
        tell(code)
        if !areBlocked { _ = sender.press(code, for: duration, now: now) }
    }

    private mutating func tell(_ code: UInt8) {
        if areBlocked, told.count < Self.mostTold { told.append(code) }
    }
}
