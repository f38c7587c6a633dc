/// One run of a flow: where it stands and what it knows. A value that is stored at every step and moved by the
/// `Interpreter`; nothing here knows who performs the actions.
public struct Run: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        case ready
        /// The outside world performs this action as step number `Run.step`.
        case performing(Action)
        /// A flow with this id is to be supplied; the action that asked for it is kept for the record.
        indirect case waitingForFlow(id: String, Action)
        /// Request number so many of the run was begun for this action, and is made once.
        indirect case waitingForAnswer(Action, number: Int)
        /// Something is wanted of what is kept for the customer.
        indirect case waitingForDepot(DepotRequest)
        /// Lists of actions beside each other.
        indirect case parallel(Branches)
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
        private let ids: [String]
        private let places: [String: Int]

        init(_ actions: [Action]) {
            self.actions = actions
            templates = actions.map(\.hasTemplates)
            ids = actions.map(\.id)
            places = actions.count <= Self.short
                ? [:] : Dictionary(actions.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        }

        func hasVariables(_ position: Int) -> Bool { templates[position] }
        func position(of id: String) -> Int? {
            // In a short list looking is faster than hashing.
            if ids.count <= Self.short { return ids.firstIndex(of: id) }
            return places[id]
        }

        private static let short = 12
    }

    /// Whether it is the run itself, perhaps without a call, or a branch of one.
    enum Role: Sendable, Hashable { case whole, alone, branch, branchWithCall }

    var role = Role.whole
    /// A branch beside the one that has the call performs nothing on it.
    var hasCall: Bool { role == .whole || role == .branchWithCall }
    var isWhole: Bool { role == .whole || role == .alone }
    /// Nobody performs anything for it: what needs a call fails.
    public var isAlone: Bool { role == .alone }

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
    /// An action made of others, while one of these is performed.
    var composed: Composed?
    /// The call has ended; what is left is between the run and the depot, within one move.
    var isLeaving = false
    var typedAhead = TypedAhead()

    /// `step`: behind which its steps are counted. `isAlone`: without a call.
    public init(actions: [Action], variables: Variables = Variables(), after step: Int = 0, isAlone: Bool = false) {
        (self.frames, self.variables, self.step) = ([Frame(actions)], variables, step)
        if isAlone { role = .alone }
    }

    /// What was answered last, to be said again to whoever asks again.
    public var current: Step {
        switch state {
        case .ready: .finished(.completed)
        case .performing(let action): .perform(action, step: step)
        case .waitingForFlow(let id, _): .needFlow(id: id)
        case .waitingForAnswer(let action, let number):
            Interpreter().request(of: action, in: self, number: number).map(Step.needAnswer) ?? .finished(.limit)
        case .waitingForDepot(let request): .needDepot(request)
        case .parallel(let branches): current(of: branches)
        case .finished(let reason): .finished(reason)
        }
    }
}
