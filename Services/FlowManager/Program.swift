import Contracts
import Database
import Fetching
import Flow
import ServiceKit

/// Flows and their runs: validates, interprets, stores the cursor at every step; any instance takes the next one.
@main
struct Program {
    static func main() async {
        let declaration = ServiceProgram.Declaration(
            .flowManager, settings: FlowSettings.declared, needs: [.bus, .database, .fleet], schema: Store.schema,
            migrations: [
                Migration(number: 1, name: "flows", sql: PackageResources._001_flows_sql), Outbox.migration(number: 2),
            ])
        await ServiceProgram.run(declaration) { runtime in try wire(runtime) }
    }

    private static func wire(_ runtime: Runtime) throws {
        let limits = FlowSettings.limits(runtime.settings.integer)
        let store = Store(database: runtime.database)
        let outbox = Outbox(schema: Store.schema, runtime: runtime)
        let cached = runtime.settings.integer("TANDEM_FLOW_CACHE")
        let flows = Flows(
            store: store, outbox: outbox, runtime: runtime,
            validation: Validation(limits: limits, timeZones: FlowSettings.timeZones), cached: cached)
        let sender = RequestSender(
            policy: try FetchPolicy(allowing: runtime.settings.list("TANDEM_FETCH_ALLOW")), names: NameLookups(name: "names"),
            signer: RequestSigner { runtime.key(for: $0) }, now: { runtime.timestamp() })
        let runs = Runs(
            store: store, outbox: outbox, runtime: runtime, flows: flows,
            interpreter: Interpreter(limits: limits, timeZones: FlowSettings.timeZones), sender: sender,
            underWay: RequestsUnderWay(most: runtime.settings.integer("TANDEM_FLOW_REQUESTS")), known: Generations(capacity: cached))
        flows.serve(on: runtime.bus)
        runs.serve(on: runtime.bus)
        runtime.background { await outbox.run() }
        runtime.whenDraining { await outbox.flush() }
    }
}
