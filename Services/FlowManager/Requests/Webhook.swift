import Flow

/// A webhook that a flow has sent without waiting for its answer.
struct Webhook: Sendable, Equatable {
    /// The same in every attempt, for whoever receives it.
    var id: String
    var customerID: String
    var runID: String
    var referenceID: String
    var request: FlowRequest
    /// With the one that is being made.
    var attempts = 1
    /// Milliseconds since it was sent.
    var age = 0

    enum End: Sendable, Equatable {
        case taken
        /// In so many milliseconds.
        case again(Int)
        case dead(String)
    }

    /// One that no step of a run sends is delivered at least once: whoever asked for it has no other way to hear of it.
    var isOfStep: Bool { !runID.isEmpty }

    private static let (firstPause, longestPause) = (1000, 600_000)

    /// Seconds after which nobody expects anything any more of who makes the attempt.
    var lease: Double { Double(request.timeout) / 1000 + 10 }

    /// What follows from an answer. `patience`: milliseconds that it is tried; `spread` from 0 to 1 tells apart those that failed together.
    func end(after answer: FlowAnswer, patience: Int, spread: Double) -> End {
        if answer.isSuccess { return .taken }
        let why = answer.failure ?? answer.status.map { "http_\($0)" } ?? "unreachable"
        guard answer.mayBeRepeated else { return .dead(why) }
        let pause = min(Self.longestPause, Self.firstPause << min(max(attempts - 1, 0), 10))
        guard age + pause <= patience else { return .dead(why) }
        return .again(pause * 3 / 4 + Int(Double(pause / 2) * min(max(spread, 0), 1)))
    }
}
