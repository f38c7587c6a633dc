import Contracts
import Fetching
import Flow
import ServiceKit

/// Flows and their runs: validates, interprets, stores the cursor at every step; any instance takes the next one.
@main
struct Program {
    static func main() async {
        let declaration = ServiceProgram.Declaration(
            .flowManager, settings: FlowSettings.declared + Timeline.settings, needs: [.bus, .database, .cacheAside, .fleet], schema: Store.schema,
            migrations: Store.migrations)
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
        let mailboxes = Mailboxes(
            store: store, outbox: outbox, runtime: runtime,
            terms: .init(
                rounds: runtime.settings.integer("TANDEM_MAILBOX_PIN_ROUNDS"), mostFailures: runtime.settings.integer("TANDEM_MAILBOX_PIN_FAILURES"),
                lockedSeconds: runtime.settings.integer("TANDEM_MAILBOX_LOCK_SECONDS")))
        let voicemails = Voicemails(
            store: store, outbox: outbox, runtime: runtime, mailboxes: mailboxes, most: runtime.settings.integer("TANDEM_MAILBOX_MESSAGES"))
        let timeline = Timeline(runtime)
        let webhooks = Webhooks(
            store: store, sender: sender, runtime: runtime, timeline: timeline,
            terms: .init(
                most: runtime.settings.integer("TANDEM_WEBHOOKS_AT_ONCE"), mostOfOne: runtime.settings.integer("TANDEM_WEBHOOKS_OF_ONE_CUSTOMER"), patience: runtime.settings.integer("TANDEM_WEBHOOK_SECONDS") * 1000,
                keptDays: runtime.settings.integer("TANDEM_WEBHOOK_KEEP_DAYS")))
        let runs = Runs(
            store: store, outbox: outbox, runtime: runtime, flows: flows,
            interpreter: Interpreter(limits: limits, timeZones: FlowSettings.timeZones), voicemails: voicemails, calls: OutgoingCalls(bus: runtime.bus), sender: sender, webhooks: webhooks,
            underWay: RequestsUnderWay(most: runtime.settings.integer("TANDEM_FLOW_REQUESTS")), known: Generations(capacity: cached), recollection: Recollection(), timeline: timeline)
        flows.serve(on: runtime.bus)
        runs.serve(on: runtime.bus)
        voicemails.serve(on: runtime.bus)
        mailboxes.serve(on: runtime.bus)
        runtime.bus.subscribe(durable: GatherWebhooks.queue, to: [GatherWebhooks.pattern], GatherWebhooks(store: store).take)
        runtime.bus.subscribe(durable: "flowmanager.aftermaths", to: ["run.finished", "recording.stored", "recording.failed", "transcript.ended"]) { try await runs.follow($0) }
        runtime.background { await runs.lookAfterAlone() }
        runtime.background { await outbox.run() }
        runtime.background { await webhooks.run() }
        runtime.background { await runs.recollect() }
        runtime.background { [timeline = runs.timeline] in await timeline.run() }
        runtime.whenDraining { await outbox.flush() }
    }
}
