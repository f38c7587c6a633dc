/// What a run wants next.
public enum Step: Sendable, Hashable {
    /// Perform this action, its options already filled in, and report the outcome under this number.
    case perform(Action, step: Int)
    /// Look up the actions of this flow and supply them to the interpreter.
    indirect case needFlow(id: String)
    /// Make this request, once, and supply the answer.
    indirect case needAnswer(FlowRequest)
    /// Do this, perhaps again, and supply the reply.
    indirect case needDepot(DepotRequest)
    case finished(FinishReason)
}

/// Why a run is over.
public enum FinishReason: String, Sendable, Hashable, Codable {
    /// The last action is done.
    case completed
    /// A `stop` action.
    case stopped
    case callEnded = "call_ended"
    /// A `transfer`: somebody else has the call, or has had it.
    case transferred
    /// Too many actions for one run, or a circle that asks nothing of the outside world.
    case limit
}
