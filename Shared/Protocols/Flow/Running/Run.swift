/// One run of a flow: where it stands and what it knows. A value that is stored at every step and moved by the
/// `Interpreter`; nothing here knows who performs the actions.
public struct Run: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        case ready
        /// The outside world performs this action as step number `Run.step`.
        case performing(Action)
        /// A flow with this id is to be supplied; the action that asked for it is kept for the record.
        case waitingForFlow(id: String, Action)
        /// Request number so many of the run was begun for this action, and is made once.
        case waitingForAnswer(Action, number: Int)
        case finished(FinishReason)
    }

    /// A list of actions that is being worked through.
    struct Frame: Sendable, Hashable {
        let actions: [Action]
        /// The current action; behind the last one when the list is done.
        var position = 0
        /// How often each `goto` has jumped.
        var jumps: [String: Int] = [:]
        /// Which actions have `${...}` in an option, and where each id stands: known once, asked at every step.
        private let templates: [Bool]
        private let places: [String: Int]

        init(_ actions: [Action]) {
            self.actions = actions
            templates = actions.map(\.hasTemplates)
            places = Dictionary(actions.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        }

        func hasVariables(_ position: Int) -> Bool { templates[position] }
        func position(of id: String) -> Int? { places[id] }
    }

    public internal(set) var state = State.ready
    public internal(set) var variables: Variables
    /// The number of the action that was given out last, counting from 1; also how many have been.
    public internal(set) var step = 0
    /// Requests to web servers so far.
    var requests = 0
    /// The list being worked through last; below it those that go on when it ends.
    var frames: [Frame]
    /// Actions executed since the last that the outside world performed; fetching another flow does not start the count anew.
    var executedAlone = 0
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
        case .waitingForAnswer(let action, let number):
            Interpreter().request(of: action, in: self, number: number).map(Step.needAnswer) ?? .finished(.limit)
        case .finished(let reason): .finished(reason)
        }
    }
}
