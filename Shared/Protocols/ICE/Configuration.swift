public import Deadlines

/// The bounds and times of an agent; the defaults are those of the RFCs.
public struct Configuration: Hashable, Sendable, Codable {
    public var maximumLocalCandidates = 16
    /// Signalled and discovered ones together.
    public var maximumRemoteCandidates = 64
    /// RFC 8445 §6.1.2.5.
    public var maximumPairs = 100
    /// Checks that came before the other side's description.
    public var maximumEarlyChecks = 16
    /// Sources that are believed at once.
    public var maximumValidatedPaths = 16
    /// Answers a second to who is not known to be the other side; the rest is silence.
    public var refusalsPerSecond = 10

    /// Ta, between two checks (RFC 8445 §14.2).
    public var pacing = Interval.milliseconds(50)
    /// The least time until a check is sent again (RFC 8445 §14.3).
    public var retransmission = Interval.milliseconds(500)
    /// Rc and Rm (RFC 8489 §6.2.1).
    public var requestCount = 7
    public var lastWait = 16
    /// How long a better pair is waited for once one works.
    public var nominationDelay = Interval.milliseconds(200)
    /// Nothing is given up before (RFC 8863 §4).
    public var patience = Interval.milliseconds(39_500)
    /// RFC 7675 §5.1: times a random factor of 0.8 to 1.2.
    public var consentInterval = Interval.seconds(5)
    public var consentLifetime = Interval.seconds(30)
    /// Tr (RFC 8445 §11), of a lite agent; a full one asks for consent more often.
    public var keepAliveInterval = Interval.seconds(15)
    /// A selected pair that was silent for so long gives way to one of lower priority.
    public var silence = Interval.seconds(5)

    public init() {}
}
