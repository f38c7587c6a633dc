public import Deadlines

/// What a phone sent and heard of one call.
public struct SoundReport: Hashable, Sendable {
    public var packetsSent = 0
    /// RTP packets with sound or events from the agreed source.
    public var packetsReceived = 0
    /// By sequence numbers (RFC 3550 §A.3).
    public var lost = 0
    /// Packets that came after one sent later.
    public var outOfOrder = 0
    /// Packets that were no RTP, had an unknown payload type or came from elsewhere.
    public var unexpected = 0
    /// Different streams heard: one, unless the far end was restarted.
    public var sources = 0
    public var firstReceived: Instant?
    public var lastReceived: Instant?
    /// The longest time between two packets.
    public var longestGap = Interval.zero
    /// The mean deviation of the packets' spacing.
    public var jitter = Interval.zero
    /// The level of the last 200 ms in dBFS; -120 is silence.
    public var level = -120.0
    /// Digits received as telephone events (RFC 4733).
    public var digits = ""

    public init() {}
}

/// One call as its phone saw it.
public struct CallReport: Sendable {
    public var phase: CallPhase
    /// From the first INVITE to the first 180 or 183.
    public var ringTime: Interval?
    /// From the first INVITE to the 200, challenges included.
    public var setupTime: Interval?
    public var end: CallEnd?
    /// What it was refused with: seconds.
    public var retryAfter: Int?
    /// The name of the codec in use.
    public var codec: String?
    public var sound: SoundReport
}

/// How far a call has come; later phases are greater.
public enum CallPhase: Int, Comparable, Hashable, Sendable {
    case calling, ringing, answered, ended

    public static func < (left: CallPhase, right: CallPhase) -> Bool { left.rawValue < right.rawValue }
}

/// How a call has ended.
public enum CallEnd: Hashable, Sendable {
    case hungUpHere
    case hungUpThere
    /// The caller gave up before the answer.
    case cancelled
    case refused(status: Int, reason: String)
    case failed(String)
}
