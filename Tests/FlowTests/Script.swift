import Flow
import Testing

/// A flow played by hand: every action it gives out is written down by id, and answered from a list of outcomes.
struct Script {
    var interpreter = Interpreter()
    var run: Run
    var time: Int64 = 1_764_000_000  // Monday, 24 November 2025, 16:00:00 UTC
    /// Other flows, for `fetch_flow`.
    var library: [String: [Action]] = [:]
    /// What web servers answer, in order; one that is not there is not reached.
    var answers: [FlowAnswer] = []
    /// What the depot replies, in order.
    var depot: [DepotReply] = []
    private(set) var asked: [DepotRequest] = []
    private(set) var requests: [FlowRequest] = []
    private(set) var sends: [FlowRequest] = []
    private(set) var performed: [String] = []
    private(set) var occurrences: [Interpreter.Occurrence] = []
    private(set) var finished: FinishReason?
    private(set) var action: Action?

    init(_ json: String, variables: [String: String] = [:], limits: Limits = Limits()) throws {
        run = Run(actions: try Self.actions(json), variables: Variables(variables))
        interpreter.limits = limits
    }

    static func actions(_ json: String) throws -> [Action] {
        try Validation(timeZones: zones).actions(json: Array(json.utf8)).get()
    }

    /// A database of time zones with one entry.
    static let zones = TimeZones { name, _ in ["Asia/Tokyo": 9 * 3600, "UTC": 0][name] }

    /// The answer to a request of a branch, while something is performed.
    mutating func arrives(_ answer: FlowAnswer, to number: Int) { take(interpreter.supply(&run, answer, to: number, at: time)) }

    /// As another process would go on with it.
    mutating func storeAndLoad() throws {
        let loaded = try Run(cursor: JSONValue(json: run.cursor.json), lists: run.lists)
        #expect(loaded == run)
        run = loaded
    }

    mutating func start() {
        interpreter.timeZones = Self.zones
        take(interpreter.start(&run, at: time))
    }

    mutating func answer(_ outcome: Outcome) throws {
        take(try interpreter.advance(&run, step: run.step, outcome, at: time))
    }

    /// Plays from the start; what is given out when the outcomes are used up stays open.
    mutating func play(_ outcomes: Outcome...) throws {
        start()
        for outcome in outcomes where finished == nil { try answer(outcome) }
    }

    private mutating func take(_ progress: Interpreter.Progress) {
        occurrences += progress.occurrences
        sends += progress.sends
        switch progress.next {
        case .perform(let action, step: let step):
            // Beside it a branch may have moved.
            if step == performed.count, performed.last == action.id { return }
            #expect(step == performed.count + 1)
            performed.append(action.id)
            self.action = action
        case .needFlow(let id):
            take(interpreter.supply(&run, library[id], at: time))
        case .needDepot(let request):
            asked.append(request)
            take(interpreter.supply(&run, depot.isEmpty ? .done : depot.removeFirst(), at: time))
        case .needAnswer(let request):
            requests.append(request)
            let answer = answers.isEmpty ? FlowAnswer(failure: "unreachable") : answers.removeFirst()
            take(interpreter.supply(&run, answer, to: request.number, at: time))
        case .finished(let reason):
            finished = reason
        }
    }
}
