public import Deadlines

/// The non-INVITE server transaction of RFC 3261 §17.2.2 (Figure 8).
public struct NonInviteServerTransaction: Sendable {
    public enum State: Sendable, Hashable { case trying, proceeding, completed, terminated }

    public enum Action: Sendable, Hashable {
        case none
        /// Send the response the user gave.
        case send
        /// Send the last response again.
        case retransmit
        case transportFailed
    }

    public private(set) var state = State.trying
    public private(set) var deadline: Instant?
    private let timers: Timers

    public init(timers: Timers) { self.timers = timers }

    /// The request came again.
    public func receiveRequest() -> Action {
        switch state {
        case .proceeding, .completed: .retransmit
        case .trying, .terminated: .none
        }
    }

    public mutating func respond(_ status: StatusClass, now: Instant) -> Action {
        switch (state, status) {
        case (.trying, .provisional), (.proceeding, .provisional):
            state = .proceeding
            return .send
        case (.trying, .success), (.trying, .failure), (.proceeding, .success), (.proceeding, .failure):
            (state, deadline) = timers.j == .zero ? (.terminated, nil) : (.completed, now + timers.j)
            return .send
        case (.completed, _), (.terminated, _):
            return .none
        }
    }

    public mutating func expire(now: Instant) -> Action {
        guard let due = deadline, due <= now else { return .none }
        (state, deadline) = (.terminated, nil)
        return .none
    }

    public mutating func transportFailed() -> Action {
        switch state {
        case .proceeding, .completed:
            (state, deadline) = (.terminated, nil)
            return .transportFailed
        case .trying, .terminated:
            return .none
        }
    }
}
