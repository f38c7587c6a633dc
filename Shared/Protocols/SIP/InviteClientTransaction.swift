public import Deadlines

/// The INVITE client transaction of RFC 3261 §17.1.1 (Figure 5), with the Accepted state of RFC 6026 §7.2.
///
/// Its owner has sent the request before it makes this.
public struct InviteClientTransaction: Sendable {
    public enum State: Sendable, Hashable { case calling, proceeding, completed, accepted, terminated }

    public enum Action: Sendable, Hashable {
        case none
        /// Send the INVITE again.
        case retransmit
        case deliver
        /// Deliver the final response and send the ACK for it (§17.1.1.3).
        case deliverAndAcknowledge
        /// The final response was repeated: send the ACK again, deliver nothing.
        case acknowledge
        /// Another 2xx, from a fork or repeated because its ACK was lost: the user sends the ACK.
        case deliverAnotherSuccess
        /// Timer B: nobody answered; to be treated as 408.
        case timedOut
        /// To be treated as 503.
        case transportFailed
    }

    public private(set) var state = State.calling
    public private(set) var deadline: Instant?
    private let timers: Timers
    private var interval: Interval
    /// When waiting ends: timer B, and after a CANCEL the limit of §9.1.
    private var limit: Instant?

    /// `patience`: how long to wait for a first response, when it is not timer B.
    public init(timers: Timers, now: Instant, patience: Interval? = nil) {
        self.timers = timers
        interval = timers.t1
        limit = now + (patience ?? timers.patience)
        deadline = timers.isReliable ? limit : now + timers.t1
    }

    public mutating func receive(_ status: StatusClass, now: Instant) -> Action {
        switch (state, status) {
        case (.calling, .provisional):
            (state, deadline, limit) = (.proceeding, nil, nil)
            return .deliver
        case (.proceeding, .provisional):
            return .deliver
        case (.calling, .success), (.proceeding, .success):
            (state, deadline) = (.accepted, now + timers.patience)
            return .deliver
        case (.accepted, .success):
            return .deliverAnotherSuccess
        case (.calling, .failure), (.proceeding, .failure):
            (state, deadline) = timers.d == .zero ? (.terminated, nil) : (.completed, now + timers.d)
            return .deliverAndAcknowledge
        case (.completed, .failure):
            return .acknowledge
        case (.completed, .provisional), (.completed, .success), (.accepted, .provisional), (.accepted, .failure),
            (.terminated, _):
            return .none
        }
    }

    /// The owner sent a CANCEL: should no final response come of it, the transaction ends after 64*T1 (§9.1).
    public mutating func cancelled(now: Instant) {
        guard state == .proceeding else { return }
        limit = now + timers.patience
        deadline = limit
    }

    public mutating func expire(now: Instant) -> Action {
        guard let due = deadline, due <= now else { return .none }
        switch state {
        case .calling:
            guard let limit, now < limit else { return end(.timedOut) }
            interval = interval * 2
            deadline = min(now + interval, limit)
            return .retransmit
        case .proceeding:
            return end(.timedOut)
        case .completed, .accepted, .terminated:
            return end(.none)
        }
    }

    public mutating func transportFailed() -> Action {
        switch state {
        case .calling, .proceeding, .completed: end(.transportFailed)
        // RFC 6026 §7.2: an ACK that could not be sent does not undo the 2xx.
        case .accepted, .terminated: .none
        }
    }

    private mutating func end(_ action: Action) -> Action {
        (state, deadline) = (.terminated, nil)
        return action
    }
}
