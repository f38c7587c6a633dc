/// Makes the packets of one telephone event: one each packet time while the key is down, then the end three times
/// (RFC 4733 §2.5.1.1, §2.5.1.4).
public struct EventSender: Sendable {
    public struct Packet: Hashable, Sendable {
        public var event: TelephoneEvent
        /// Set on the first packet only.
        public var marker: Bool
    }

    /// The timestamp of every packet: when the key went down.
    public let timestamp: Timestamp
    private let code: UInt8
    private let volume: UInt8
    private let step: Int
    private let total: Int
    private var elapsed = 0
    private var endsLeft = 3

    /// `duration` and `step` in timestamp units; at least one step, at most what the duration field holds (eight seconds).
    public init(code: UInt8, timestamp: Timestamp, duration: Int = 1280, step: Int = 160, volume: UInt8 = 10) {
        (self.code, self.timestamp, self.volume) = (code, timestamp, volume)
        self.step = max(1, min(step, 0xffff))
        total = max(self.step, min(duration, 0xffff))
    }

    /// The next packet, one every `step`; nil when the event is over.
    public mutating func next() -> Packet? {
        let marker = elapsed == 0
        if elapsed < total {
            elapsed = min(total, elapsed + step)
            guard elapsed == total else { return packet(isEnd: false, marker: marker) }
        }
        guard endsLeft > 0 else { return nil }
        endsLeft -= 1
        return packet(isEnd: true, marker: marker)
    }

    private func packet(isEnd: Bool, marker: Bool) -> Packet {
        Packet(event: TelephoneEvent(code: code, isEnd: isEnd, volume: volume, duration: UInt16(elapsed)), marker: marker)
    }
}
