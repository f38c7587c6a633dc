public import Deadlines

/// The non-INVITE client transaction of RFC 3261 §17.1.2 (Figure 6). Its owner has sent the request before it makes this.
public struct NonInviteClientTransaction: Sendable {
    public enum State: Sendable, Hashable { case trying, proceeding, completed, terminated }

    public enum Action: Sendable, Hashable {
        case none, retransmit, deliver
        /// Timer F: to be treated as 408.
        case timedOut
        /// To be treated as 503.
        case transportFailed
    }

    public private(set) var state = State.trying
    public private(set) var deadline: Instant?
    private let timers: Timers
    private var interval: Interval
    private let limit: Instant

    public init(timers: Timers, now: Instant) {
        self.timers = timers
        interval = timers.t1
        limit = now + timers.patience
        deadline = timers.isReliable ? limit : now + timers.t1
    }

    public mutating func receive(_ status: StatusClass, now: Instant) -> Action {
        switch (state, status) {
        case (.trying, .provisional):
            state = .proceeding
            return .deliver
        case (.proceeding, .provisional):
            return .deliver
        case (.trying, .success), (.trying, .failure), (.proceeding, .success), (.proceeding, .failure):
            (state, deadline) = timers.linger == .zero ? (.terminated, nil) : (.completed, now + timers.linger)
            return .deliver
        case (.completed, _), (.terminated, _):
            return .none
        }
    }

    public mutating func expire(now: Instant) -> Action {
        guard let due = deadline, due <= now else { return .none }
        switch state {
        case .trying, .proceeding:
            guard now < limit else { return end(.timedOut) }
            // Timer E: doubling up to T2 while trying, T2 from then on.
            interval = state == .trying ? timers.backedOff(interval) : timers.t2
            deadline = min(now + interval, limit)
            return .retransmit
        case .completed, .terminated:
            return end(.none)
        }
    }

    public mutating func transportFailed() -> Action {
        switch state {
        case .trying, .proceeding: end(.transportFailed)
        case .completed, .terminated: .none
        }
    }

    private mutating func end(_ action: Action) -> Action {
        (state, deadline) = (.terminated, nil)
        return action
    }
}
