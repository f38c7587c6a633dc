public import Deadlines

/// The timers of RFC 3261 table 4 (Appendix A), derived from the three base values and the transport.
public struct Timers: Sendable, Hashable {
    /// Estimate of the round trip.
    public var t1: Interval
    /// Longest pause between retransmissions of anything but an INVITE request.
    public var t2: Interval
    /// How long a message may linger in the network.
    public var t4: Interval
    /// Over TCP, TLS and WebSocket nothing is sent twice and nothing lingers.
    public var isReliable: Bool

    public init(
        t1: Interval = .milliseconds(500), t2: Interval = .seconds(4), t4: Interval = .seconds(5), isReliable: Bool = false
    ) {
        (self.t1, self.t2, self.t4, self.isReliable) = (t1, t2, t4, isReliable)
    }

    /// 64*T1: timers B, F, H, J, L and M, after which the other side is given up.
    var patience: Interval { t1 * 64 }
    /// Timer D: at least 32 s, so that a retransmitted final response still meets the ACK.
    var d: Interval { isReliable ? .zero : max(.seconds(32), patience) }
    /// Timers I and K.
    var linger: Interval { isReliable ? .zero : t4 }
    /// Timer J.
    var j: Interval { isReliable ? .zero : patience }

    /// A retransmission interval twice as long as the last, up to T2.
    func backedOff(_ interval: Interval) -> Interval { min(interval * 2, t2) }
}
