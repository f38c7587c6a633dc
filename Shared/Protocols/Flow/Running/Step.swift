/// What a run wants next.
public enum Step: Sendable, Hashable {
    /// Perform this action, its options already filled in, and report the outcome under this number.
    case perform(Action, step: Int)
    /// Look up the actions of this flow and supply them to the interpreter.
    case needFlow(id: String)
    case finished(FinishReason)
}

/// Why a run is over.
public enum FinishReason: String, Sendable, Hashable, Codable {
    /// The last action is done.
    case completed
    /// A `stop` action.
    case stopped
    case callEnded = "call_ended"
    /// Too many actions for one run, or a circle that asks nothing of the outside world.
    case limit
}

extension Step: Codable {
    private enum CodingKeys: String, CodingKey {
        case action, step, finished
        case needFlow = "need_flow"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let action = try container.decodeIfPresent(Action.self, forKey: .action) {
            self = .perform(action, step: try container.decode(Int.self, forKey: .step))
        } else if let id = try container.decodeIfPresent(String.self, forKey: .needFlow) {
            self = .needFlow(id: id)
        } else {
            self = .finished(try container.decode(FinishReason.self, forKey: .finished))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .perform(let action, let step):
            try container.encode(action, forKey: .action)
            try container.encode(step, forKey: .step)
        case .needFlow(let id): try container.encode(id, forKey: .needFlow)
        case .finished(let reason): try container.encode(reason, forKey: .finished)
        }
    }
}
