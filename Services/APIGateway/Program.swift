import Bus
import Contracts
import Database
import Flow
import Logging
import ServiceKit

/// The API gateway (DESIGN §9): REST, the event log and its streams. Any instance serves any request.
@main
struct Program {
    private static let listen = Setting.Format("ADDRESS:PORT, for example 127.0.0.1:8080") { Program.address($0) != nil }

    static let settings = [
        Setting("TANDEM_API_LISTEN", as: listen, default: "127.0.0.1:8080", "address:port of the API"),
        Setting(
            "TANDEM_BOOTSTRAP_KEY", .secret, default: "", "a key with the scope operator, which exists without being in the database"),
        Setting("TANDEM_API_BODY_LIMIT", .integer(1_024...16_777_216), default: "1048576", "largest body of a request, in bytes"),
        Setting("TANDEM_API_RATE", .integer(1...100_000), default: "100", "requests a second that one key may make on one instance"),
        Setting("TANDEM_API_BURST", .integer(1...100_000), default: "200", "requests that one key may make at once"),
        Setting("TANDEM_API_STREAMS", .integer(1...100_000), default: "1000", "event streams that one instance serves"),
        Setting("TANDEM_API_WAIT_SECONDS", .integer(0...60), default: "25", "how long an answer is held at most for what is asked with `wait`"),
        Setting("TANDEM_EVENT_RETENTION_DAYS", .integer(1...3_650), default: "7", "how long events can be read again"),
    ]

    static func main() async {
        let declaration = ServiceProgram.Declaration(
            .apiGateway, settings: settings + ActionList.settings, needs: [.bus, .database, .fleet], schema: "accounts",
            migrations: [
                Migration(number: 1, name: "accounts", sql: PackageResources._001_accounts_sql),
                Migration(number: 2, name: "suspended", sql: PackageResources._002_suspended_sql),
            ])
        await ServiceProgram.run(declaration, wire)
    }

    private static func wire(_ runtime: Runtime) async throws {
        guard let (host, port) = address(runtime.settings.text("TANDEM_API_LISTEN")) else {
            preconditionFailure("TANDEM_API_LISTEN was checked to be ADDRESS:PORT")
        }
        let (bus, logger, settings) = (runtime.bus, runtime.logger, runtime.settings)
        ActionList.configure(settings)
        let store = AccountStore(database: runtime.database, sealingKey: runtime.key(for: "stored answers"))
        let feed = EventFeed(store: store, mostStreams: settings.integer("TANDEM_API_STREAMS"), logger: logger)
        let reconciliation = Reconciliation(
            store: store, bus: bus, retentionDays: settings.integer("TANDEM_EVENT_RETENTION_DAYS"), logger: logger)
        let gateway = Gateway(
            store: store, keys: KeyRing(store: store, bootstrapKey: settings.text("TANDEM_BOOTSTRAP_KEY")), feed: feed,
            reconciliation: reconciliation, bus: bus, table: API.table,
            limits: .init(
                bodyBytes: settings.integer("TANDEM_API_BODY_LIMIT"), waitSeconds: settings.integer("TANDEM_API_WAIT_SECONDS"), requestsPerSecond: settings.integer("TANDEM_API_RATE"),
                burst: settings.integer("TANDEM_API_BURST")),
            logger: logger)
        let wake = Wake(bus: bus, runtime: runtime)
        let log = EventLog(store: store, announce: wake.send)
        // Messages of up to a hundred events: enough for three statements, and the little that counts as delivered when this process dies with it.
        bus.subscribe(durable: EventLog.queue, to: EventLog.patterns, prefetch: 16, written: log.append)
        bus.listen(to: [Wake.type]) { wake.receive($0) }
        let listener = Listener(host: host, port: port, gateway: gateway, logger: logger)
        let work = BackgroundWork()
        runtime.whenReady {
            work.start { await follow(feed, wake) }
            work.start { await listener.run() }
            work.start { await reconcile(reconciliation) }
            try await listener.waitUntilOpen()
            logger.info("the API listens on \(host):\(port)")
        }
        runtime.whenDraining {
            await feed.close()
            await listener.close()
            work.cancel()
        }
    }

    /// Reads what is new in the log whenever somebody says so, and every second in case that was lost.
    private static func follow(_ feed: EventFeed, _ wake: Wake) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    wake.receive()
                    // Throws only when cancelled, which ends the loop.
                    try? await Task.sleep(for: .seconds(1))
                }
            }
            for await _ in wake.calls { await feed.poke() }
            group.cancelAll()
        }
    }

    private static func reconcile(_ reconciliation: Reconciliation) async {
        while !Task.isCancelled {
            await reconciliation.round()
            try? await Task.sleep(for: .seconds(10))
        }
    }

    private static func address(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port) else {
            return nil
        }
        let host = text[..<colon]
        guard !host.isEmpty else { return nil }
        return (host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host), port)
    }
}
