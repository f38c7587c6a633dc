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
    /// Runs as they were when last written or read here.
    let known: Generations<StoredRun>

    func serve(on bus: Bus) {
        bus.serve(StartRun.self) { command, _ in try await start(command) }
        bus.serve(AdvanceRun.self) { command, _ in try await advance(command) }
        bus.serve(GetRun.self) { command, _ in try await get(command) }
        bus.serve(ListRuns.self) { command, _ in try await list(command) }
    }

    /// Looks up the flows that a run asks for until it wants something of the outside world.
    func resolve(
        _ progress: Interpreter.Progress, of run: inout Run, customerID: String, at time: Timestamp
    ) async throws -> [Interpreter.Occurrence] {
        var progress = progress
        var occurrences = progress.occurrences
        while case .needFlow(let id) = progress.next {
            let flow = try await flows.current(id, customerID: customerID)
            progress = interpreter.supply(&run, flow?.actions, at: time.seconds)
            occurrences += progress.occurrences
        }
        return occurrences
    }
}

extension Timestamp {
    var seconds: Int64 { milliseconds / 1_000 }
}
