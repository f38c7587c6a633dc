import Bus
import Contracts
import Flow
import ServiceKit
import Telemetry
import Threads

/// The operations on runs. Any instance answers for any run: what one remembers is only a guess at what the database has,
/// and every write proves it.
struct Runs: Sendable {
    static let started = Counter("tandem_flow_runs_started_total", "Runs that have begun.")
    static let finished = Counter("tandem_flow_runs_finished_total", "Runs that are over.")
    static let stepTime = Histogram(
        "tandem_flow_step_seconds", "From the arrival of an action's outcome to the answer with the next action.", bounds: stepBounds)
    static let storeTime = Histogram(
        "tandem_flow_step_store_seconds", "Of a step: from wanting to store it to having it stored.", bounds: stepBounds)
    private static let stepBounds = [
        0.000_25, 0.000_5, 0.000_75, 0.001, 0.001_5, 0.002, 0.002_5, 0.003, 0.004, 0.005, 0.007_5, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
    ]

    let store: Store
    let outbox: Outbox
    let runtime: Runtime
    let flows: Flows
    let interpreter: Interpreter
    let voicemails: Voicemails
    let calls: OutgoingCalls
    let sender: RequestSender
    let webhooks: Webhooks
    let underWay: RequestsUnderWay
    /// Runs as they were when last written or read here.
    let known: Generations<StoredRun>
    let recollection: Recollection
    let timeline: Timeline
    let startedAt = ContinuousClock.now

    func serve(on bus: Bus) {
        bus.serve(StartRun.self) { command, _ in try await start(command) }
        bus.serve(AdvanceRun.self, attempting: step) { command, delivery in try await advance(command, delivery) }
        bus.serve(SetRunVariables.self) { command, _ in try await setVariables(command) }
        bus.serve(WatchRun.self) { command, _ in try await watch(command) }
        bus.serve(GetRun.self) { command, _ in try await get(command) }
        bus.serve(GetSigningSecret.self) { command, _ in SigningSecret(secret: sender.signer.secret(of: command.customerID)) }
        bus.serve(ListRuns.self) { command, _ in try await list(command) }
    }

    /// What a move has led to.
    struct Move: Sendable {
        var occurrences: [Interpreter.Occurrence]
        /// Webhooks that are stored with it.
        var sends: [FlowRequest]
    }

    /// Looks up the flows that a run asks for until it wants something of the outside world.
    func resolve(_ progress: Interpreter.Progress, of run: inout Run, customerID: String, at time: Timestamp) async throws -> Move {
        var progress = progress
        var move = Move(occurrences: progress.occurrences, sends: progress.sends)
        while true {
            switch progress.next {
            case .needFlow(let id):
                let flow = try await flows.current(id, customerID: customerID)
                progress = interpreter.supply(&run, flow?.actions, at: time.seconds)
            case .needDepot(let request):
                let reply =
                    if case .call(let order) = request {
                        try await calls.make(order, customerID: customerID)
                    } else { try await voicemails.perform(request, customerID: customerID) }
                progress = interpreter.supply(&run, reply, at: time.seconds)
            case .perform, .needAnswer, .finished: return move
            }
            move.occurrences += progress.occurrences
            move.sends += progress.sends
        }
    }

    /// What is to be stored of a move, and which requests are ours once it is.
    typealias Moved = (change: Store.Change, move: Move, requests: [FlowRequest])

    /// Stores where a run stands now; nil when it is no longer where `stored` was.
    ///
    /// `taking`: a request that is ours from now on, whoever was to make it. `durably`: the call's owner could not tell it again.
    func write(
        _ run: Run, _ move: Move, over stored: StoredRun, at time: Timestamp, taking: Int? = nil, durably: Bool = false
    ) async throws -> (stored: StoredRun, requests: [FlowRequest])? {
        var moved = moved(to: run, move, over: stored, at: time, taking: taking)
        moved.change.isDurable = moved.change.isDurable || durably
        let wanted = MonotonicClock.now()
        do {
            let isWritten = try await store.update(moved.change)
            Self.storeTime.observe(since: wanted)
            return settle(moved, isWritten: isWritten)
        } catch {
            release(moved.requests, of: stored.record.id)
            throw error
        }
    }

    func moved(to run: Run, _ move: Move, over stored: StoredRun, at time: Timestamp, taking: Int? = nil) -> Moved {
        var (next, events) = stored.moved(to: run, move.occurrences, at: time)
        let ours = assign(run, to: &next, before: stored.asking, at: time, taking: taking)
        let withLists = stored.run.map { !run.hasSameLists(as: $0) } ?? true
        let sent = webhooks.rows(move.sends, of: next.record)
        let change = Store.Change(
            stored: next, over: stored.version, withLists: withLists, events: events, sent: sent, isDurable: Self.mustLast(next, with: ours))
        return (change, move, ours)
    }

    /// Whether a crash of PostgreSQL must not take it back, should this process be gone then, too: nobody else knows of a run without a call,
    /// and what may be sent only once is not sent before it is on disk that it is.
    static func mustLast(_ next: StoredRun, with requests: [FlowRequest]) -> Bool {
        next.chain != nil || requests.contains { $0.method != .get }
    }

    /// What follows once a move is stored, or was overtaken.
    func settle(_ moved: Moved, isWritten: Bool) -> (stored: StoredRun, requests: [FlowRequest])? {
        let next = moved.change.stored
        guard isWritten else {
            known[next.record.id] = nil
            release(moved.requests, of: next.record.id)
            return nil
        }
        known[next.record.id] = next
        recollection.wrote(next, moved.change.events, moved.change.sent.list)
        trace(moved.move.occurrences, of: next.record)
        if next.run == nil { Self.finished.add() }
        webhooks.deliver(moved.change.sent)
        outbox.wake()
        return (next, moved.requests)
    }

    /// Says who makes the requests that the run waits for; what nobody makes yet is ours from now on, and is returned.
    func assign(
        _ run: Run, to next: inout StoredRun, before: [Int: Asking], at time: Timestamp, taking: Int? = nil
    ) -> [FlowRequest] {
        next.asking = [:]
        var ours: [FlowRequest] = []
        for request in run.openRequests {
            if let asking = before[request.number], request.number != taking {
                next.asking[request.number] = asking
                continue
            }
            next.asking[request.number] = Asking(request, instance: runtime.instance, incarnation: runtime.incarnation, at: time)
            underWay.begin(RequestsUnderWay.key(next.record.id, request.number))
            ours.append(request)
        }
        return ours
    }

    func release(_ requests: [FlowRequest], of id: String) {
        for request in requests { underWay.end(RequestsUnderWay.key(id, request.number)) }
    }

    /// The answer about a run; when it waits for a web server, its answer is waited for.
    func answer(_ stored: StoredRun) async throws -> RunStep {
        let answer = stored.answer
        return answer.waiting == nil ? answer : try await waiting(stored)
    }
}

extension Timestamp {
    var seconds: Int64 { milliseconds / 1_000 }
}
