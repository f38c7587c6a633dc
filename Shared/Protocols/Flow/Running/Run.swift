/// One run of a flow: where it stands and what it knows. A value that is stored at every step and moved by the
/// `Interpreter`; nothing here knows who performs the actions.
public struct Run: Sendable, Hashable, Codable {
    public enum State: Sendable, Hashable {
        case ready
        /// The outside world performs this action as step number `Run.step`.
        case performing(Action)
        /// A flow with this id is to be supplied; the action that asked for it is kept for the record.
        case waitingForFlow(id: String, Action)
        case finished(FinishReason)
    }

    /// A list of actions that is being worked through.
    struct Frame: Sendable, Hashable, Codable {
        let actions: [Action]
        /// The current action; behind the last one when the list is done.
        var position = 0
        /// How often each `goto` has jumped.
        var jumps: [String: Int] = [:]

        init(_ actions: [Action]) { self.actions = actions }
    }

    public internal(set) var state = State.ready
    public internal(set) var variables: Variables
    /// The number of the action that was given out last, counting from 1; also how many have been.
    public internal(set) var step = 0
    /// The list being worked through last; below it those that go on when it ends.
    var frames: [Frame]
    /// Digits that came while no `digits_receive` was waiting for them.
    var typedAhead = ""

    public init(actions: [Action], variables: Variables = Variables()) {
        (self.frames, self.variables) = ([Frame(actions)], variables)
    }

    /// What was answered last, to be said again to whoever asks again.
    public var current: Step {
        switch state {
        case .ready: .finished(.completed)
        case .performing(let action): .perform(action, step: step)
        case .waitingForFlow(let id, _): .needFlow(id: id)
        case .finished(let reason): .finished(reason)
        }
    }
}

extension Run.State: Codable {
    private enum CodingKeys: String, CodingKey { case performing, flow, by, finished }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let action = try container.decodeIfPresent(Action.self, forKey: .performing) {
            self = .performing(action)
        } else if let id = try container.decodeIfPresent(String.self, forKey: .flow) {
            self = .waitingForFlow(id: id, try container.decode(Action.self, forKey: .by))
        } else if let reason = try container.decodeIfPresent(FinishReason.self, forKey: .finished) {
            self = .finished(reason)
        } else {
            self = .ready
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .ready: break
        case .performing(let action): try container.encode(action, forKey: .performing)
        case .waitingForFlow(let id, let action):
            try container.encode(id, forKey: .flow)
            try container.encode(action, forKey: .by)
        case .finished(let reason): try container.encode(reason, forKey: .finished)
        }
    }
}
