import Contracts
import Database
import Flow
import ServiceKit

/// Flows and their runs: validates, interprets, stores the cursor at every step; any instance takes the next one.
@main
struct Program {
    static func main() async {
        let declaration = ServiceProgram.Declaration(
            .flowManager, settings: FlowSettings.declared, needs: [.bus, .database], schema: Store.schema,
            migrations: [
                Migration(number: 1, name: "flows", sql: PackageResources._001_flows_sql), Outbox.migration(number: 2),
            ])
        await ServiceProgram.run(declaration) { runtime in wire(runtime) }
    }

    private static func wire(_ runtime: Runtime) {
        let limits = FlowSettings.limits(runtime.settings.integer)
        let store = Store(database: runtime.database)
        let outbox = Outbox(schema: Store.schema, runtime: runtime)
        let cached = runtime.settings.integer("TANDEM_FLOW_CACHE")
        let flows = Flows(
            store: store, outbox: outbox, runtime: runtime,
            validation: Validation(limits: limits, timeZones: FlowSettings.timeZones), cached: cached)
        let runs = Runs(
            store: store, outbox: outbox, runtime: runtime, flows: flows,
            interpreter: Interpreter(limits: limits, timeZones: FlowSettings.timeZones), known: Generations(capacity: cached))
        flows.serve(on: runtime.bus)
        runs.serve(on: runtime.bus)
        runtime.background { await outbox.run() }
        runtime.whenDraining { await outbox.flush() }
    }
}
