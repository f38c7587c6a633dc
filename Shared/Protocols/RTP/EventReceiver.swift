/// Reports every telephone event of one source exactly once, whichever of its packets are lost, doubled or late
/// (RFC 4733 §2.5.1): all packets of an event carry its timestamp, so a newer timestamp is a new event.
public struct EventReceiver: Sendable {
    /// The event that was heard last, or is heard now.
    public struct Current: Hashable, Sendable {
        public var code: UInt8
        public var timestamp: Timestamp
        public var duration: UInt16
        public var isEnded: Bool

        public init(code: UInt8, timestamp: Timestamp, duration: UInt16, isEnded: Bool) {
            (self.code, self.timestamp, self.duration, self.isEnded) = (code, timestamp, duration, isEnded)
        }
    }

    /// Older than this is no straggler but a source that started its clock anew: ten seconds.
    public static let maximumLateness = 80_000
    public private(set) var current: Current?

    public init() {}

    /// Of a source that another has listened to.
    public init(resuming current: Current) { self.current = current }

    /// The event, on the first packet of it that arrives.
    public mutating func receive(_ event: TelephoneEvent, timestamp: Timestamp) -> TelephoneEvent? {
        if var latest = current {
            let distance = timestamp.distance(from: latest.timestamp)
            if distance <= 0 && distance > -Self.maximumLateness {
                if distance == 0, event.code == latest.code {
                    latest.duration = max(latest.duration, event.duration)
                    latest.isEnded = latest.isEnded || event.isEnd
                    current = latest
                }
                return nil
            }
            // RFC 4733 §2.5.1.3: an event longer than the field goes on as a further segment.
            let continues = !latest.isEnded && event.code == latest.code && distance == 0xffff && latest.duration >= 0xff00
            current = Current(code: event.code, timestamp: timestamp, duration: event.duration, isEnded: event.isEnd)
            return continues ? nil : event
        }
        current = Current(code: event.code, timestamp: timestamp, duration: event.duration, isEnded: event.isEnd)
        return event
    }
}
