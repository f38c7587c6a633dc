import Bus
import Contracts
import Flow
import ServiceKit
import Telemetry

/// The operations on runs. Any instance answers for any run: what one remembers is only a guess at what the database has,
/// and every write proves it.
struct Runs: Sendable {
    static let started = Counter("tandem_flow_runs_started_total", "Runs that have begun.")
    static let finished = Counter("tandem_flow_runs_finished_total", "Runs that are over.")
    static let stepTime = Histogram("tandem_flow_step_seconds", "From the outcome of an action to the next action.")

    let store: Store
    let outbox: Outbox
    let runtime: Runtime
    let flows: Flows
    let interpreter: Interpreter
    let sender: RequestSender
    let underWay: RequestsUnderWay
    /// Runs as they were when last written or read here.
    let known: Generations<StoredRun>

    func serve(on bus: Bus) {
        bus.serve(StartRun.self) { command, _ in try await start(command) }
        bus.serve(AdvanceRun.self) { command, _ in try await advance(command) }
        bus.serve(GetRun.self) { command, _ in try await get(command) }
        bus.serve(GetSigningSecret.self) { command, _ in SigningSecret(secret: sender.signer.secret(of: command.customerID)) }
        bus.serve(ListRuns.self) { command, _ in try await list(command) }
    }

    /// What a move has led to.
    struct Move: Sendable {
        var occurrences: [Interpreter.Occurrence]
        /// Requests that are made once it is stored.
        var sends: [FlowRequest]
    }

    /// Looks up the flows that a run asks for until it wants something of the outside world.
    func resolve(_ progress: Interpreter.Progress, of run: inout Run, customerID: String, at time: Timestamp) async throws -> Move {
        var progress = progress
        var move = Move(occurrences: progress.occurrences, sends: progress.sends)
        while case .needFlow(let id) = progress.next {
            let flow = try await flows.current(id, customerID: customerID)
            progress = interpreter.supply(&run, flow?.actions, at: time.seconds)
            move.occurrences += progress.occurrences
            move.sends += progress.sends
        }
        return move
    }

    /// Stores where a run stands now; nil when it is no longer where `stored` was.
    func write(_ run: Run, _ move: Move, over stored: StoredRun, at time: Timestamp) async throws -> StoredRun? {
        var (next, events) = stored.moved(to: run, move.occurrences, at: time, makeID: runtime.newID)
        next.asking = asking(run, at: time)
        let withLists = stored.run.map { !run.hasSameLists(as: $0) } ?? true
        let request = reserve(run, of: stored.record.id)
        do {
            guard try await store.update(next, withLists: withLists, events) else {
                known[stored.record.id] = nil
                if let request { underWay.end(request) }
                return nil
            }
        } catch {
            if let request { underWay.end(request) }
            throw error
        }
        known[stored.record.id] = next
        if next.run == nil { Self.finished.add() }
        outbox.wake()
        return next
    }

    /// The request that the run waits for is ours from now on.
    func reserve(_ run: Run, of id: String) -> String? {
        guard case .needAnswer(let request) = run.current else { return nil }
        let key = RequestsUnderWay.key(id, request.number)
        underWay.begin(key)
        return key
    }

    /// We are who makes the request that the run waits for.
    func asking(_ run: Run, at time: Timestamp) -> Asking? {
        guard case .needAnswer(let request) = run.current else { return nil }
        return Asking(request, instance: runtime.instance, incarnation: runtime.incarnation, at: time)
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
