public import Deadlines

/// The INVITE server transaction of RFC 3261 §17.2.1 (Figure 7), with the Accepted state of RFC 6026 §7.1.
public struct InviteServerTransaction: Sendable {
    public enum State: Sendable, Hashable { case proceeding, completed, confirmed, accepted, terminated }

    public enum Action: Sendable, Hashable {
        case none
        /// Send the response the user gave.
        case send
        /// Send the last response again.
        case retransmit
        /// An ACK for a 2xx: the user's.
        case deliver
        /// Timer H: the ACK never came.
        case timedOut
        case transportFailed
    }

    public private(set) var state = State.proceeding
    public private(set) var deadline: Instant?
    private let timers: Timers
    private var interval: Interval
    private var limit = Instant.distantFuture

    public init(timers: Timers) {
        self.timers = timers
        interval = timers.t1
    }

    /// The INVITE came again.
    public func receiveRequest() -> Action {
        switch state {
        case .proceeding, .completed: .retransmit
        // RFC 6026 §7.1: absorbed; the user itself repeats the 2xx.
        case .accepted, .confirmed, .terminated: .none
        }
    }

    public mutating func receiveAcknowledgement(now: Instant) -> Action {
        switch state {
        case .completed:
            (state, deadline) = timers.linger == .zero ? (.terminated, nil) : (.confirmed, now + timers.linger)
            return .none
        case .accepted:
            return .deliver
        case .proceeding, .confirmed, .terminated:
            return .none
        }
    }

    public mutating func respond(_ status: StatusClass, now: Instant) -> Action {
        switch (state, status) {
        case (.proceeding, .provisional):
            return .send
        case (.proceeding, .success):
            (state, deadline) = (.accepted, now + timers.patience)
            return .send
        case (.accepted, .success):
            return .send
        case (.proceeding, .failure):
            (state, limit) = (.completed, now + timers.patience)
            deadline = timers.isReliable ? limit : now + timers.t1
            return .send
        case (.accepted, _), (.completed, _), (.confirmed, _), (.terminated, _):
            return .none
        }
    }

    public mutating func expire(now: Instant) -> Action {
        guard let due = deadline, due <= now else { return .none }
        switch state {
        case .completed:
            guard now < limit else { return end(.timedOut) }
            interval = timers.backedOff(interval)
            deadline = min(now + interval, limit)
            return .retransmit
        case .proceeding, .confirmed, .accepted, .terminated:
            return end(.none)
        }
    }

    public mutating func transportFailed() -> Action {
        switch state {
        case .proceeding, .completed: end(.transportFailed)
        case .accepted, .confirmed, .terminated: .none
        }
    }

    private mutating func end(_ action: Action) -> Action {
        (state, deadline) = (.terminated, nil)
        return action
    }
}
