import Addresses
import Contracts
import Database
import SIP
import ServiceKit

/// Bindings, extensions and domains (DESIGN §2): any instance serves any request. Wiring only.
@main
struct Program {
    static func main() async {
        let declaration = ServiceProgram.Declaration(
            .registrar, settings: RegistrarSettings.declared, needs: [.bus, .database, .cache, .fleet], hears: [.edgeProxy], schema: Store.schema,
            migrations: [
                Migration(number: 1, name: "registrar", sql: PackageResources._001_registrar_sql), Outbox.migration(number: 2),
                Migration(number: 3, name: "flows", sql: PackageResources._003_flows_sql),
                Migration(number: 4, name: "watchers", sql: PackageResources._004_watchers_sql),
                Migration(number: 5, name: "dialogs", sql: PackageResources._005_dialogs_sql),
                Migration(number: 6, name: "forwarding", sql: PackageResources._006_forwarding_sql),
                Migration(number: 7, name: "suspension", sql: PackageResources._007_suspension_sql),
            ],
            check: { _ = try InsideStreams($0) })
        await ServiceProgram.run(declaration) { runtime in try wire(runtime) }
    }

    private static func wire(_ runtime: Runtime) throws {
        let settings = runtime.settings
        let store = Store(database: runtime.database, runtime: runtime)
        let copy = BindingCopy(cache: runtime.cache)
        let outbox = Outbox(schema: Store.schema, runtime: runtime)

        let temporaryGRUU = TemporaryGRUU(key: runtime.key(for: TemporaryGRUU.purpose))

        let extensions = Extensions(
            store: store, copy: copy, lastGood: LastGood(cache: runtime.cache, key: runtime.key(for: LastGood.purpose)),
            sealing: SealedCredentials(key: runtime.key(for: SealedCredentials.purpose)), temporaryGRUU: temporaryGRUU, outbox: outbox,
            runtime: runtime)
        extensions.serve(on: runtime.bus)

        let server = try RegistrarServer(
            listen: SocketAddress(settings.ipAddress("TANDEM_INSIDE_ADDRESS"), port: UInt16(clamping: settings.integer("TANDEM_SIP_PORT"))),
            longestDatagram: settings.integer("TANDEM_SIP_DATAGRAM_BYTES"),
            streams: try InsideStreams(settings))
        let notify = NotifyWatchers(store: store, server: server, dialogs: RegistrarSettings.dialogs(settings), runtime: runtime)
        let watch = WatchDialogs(store: store, notify: notify)
        runtime.bus.subscribe(durable: WatchDialogs.queue, to: [DialogChanged.eventType], watch.take)
        let register = Register(
            store: store, copy: copy, outbox: outbox, notify: notify, policy: RegistrarSettings.policy(settings),
            temporaryGRUU: temporaryGRUU, runtime: runtime)
        let subscribe = Subscribe(
            store: store, policy: RegistrarSettings.subscriptions(settings), notify: notify, runtime: runtime)
        let address = server.address
        runtime.announce { $0.addresses["sip"] = address.description }

        let sweep = SweepBindings(store: store, copy: copy, outbox: outbox, runtime: runtime)
        runtime.background { await outbox.run() }
        runtime.background { await sweep.run() }
        runtime.background { await notify.run() }
        let qualify = Qualify(
            interval: settings.integer("TANDEM_QUALIFY_SECONDS"), store: store, copy: copy, outbox: outbox, server: server,
            runtime: runtime)
        if let qualify { runtime.background { await qualify.run() } }
        runtime.whenReady { try await server.start(register, subscribe, runtime.fleet) }
        runtime.whenDraining {
            notify.stop()
            await server.finish()
            await outbox.flush()
        }
    }
}

extension EdgeTable {
    init(_ fleet: Fleet) {
        self.init(
            fleet.living(.edgeProxy).map {
                Edge(instance: $0.instance, inside: $0.addresses["inside"] ?? "", isDraining: $0.draining)
            })
    }
}
