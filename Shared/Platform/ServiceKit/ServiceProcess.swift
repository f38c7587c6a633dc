internal import Addresses
internal import Bus
internal import Cache
internal import Contracts
internal import Database
internal import Deadlines
internal import Logging
internal import ServiceLifecycle
internal import Telemetry
internal import Threads

/// The life of a service's process: admin port, servers, wiring, bus, announcements, and back down in the reverse order.
struct ServiceProcess: ServiceLifecycle.Service {
    private static let announceEvery = Duration.milliseconds(250)

    let declaration: ServiceProgram.Declaration
    let runtime: Runtime
    let servers: Runtime.Servers
    let admin: AdminServer
    let drainSeconds: Int
    let logger: Logger
    let wire: @Sendable (Runtime) async throws -> Void

    init(
        declaration: ServiceProgram.Declaration, settings: Settings, instance: String, clusterKey: [UInt8], admin: SocketAddress,
        logger: Logger, wire: @escaping @Sendable (Runtime) async throws -> Void
    ) {
        (self.declaration, self.logger, self.wire) = (declaration, logger, wire)
        let build = Gauge(
            "tandem_build_info", "which service this is, and of which version: always 1",
            labels: ["service": declaration.name.rawValue, "version": Version.current])
        build.set(1)
        let health = Health()
        var servers = Runtime.Servers()
        if declaration.needs.contains(.database) {
            let url = settings.text("TANDEM_DATABASE_URL")
            let database = Database(
                settings: .init(connection: url, connections: settings.integer("TANDEM_DATABASE_CONNECTIONS")), logger: logger)
            health.add("PostgreSQL") { database.isReady }
            servers.database = database
        }
        if declaration.needs.contains(.cache) || declaration.needs.contains(.cacheAside) {
            guard let cacheSettings = Cache.Settings(url: settings.text("TANDEM_REDIS_URL")) else {
                preconditionFailure("TANDEM_REDIS_URL was checked to be one")
            }
            let cache = Cache(settings: cacheSettings, logger: logger)
            if declaration.needs.contains(.cache) { health.add("Redis") { cache.isReady } }
            servers.cache = cache
        }
        if declaration.needs.contains(.bus) {
            guard var busSettings = Bus.Settings(url: settings.text("TANDEM_AMQP_URL")) else {
                preconditionFailure("TANDEM_AMQP_URL was checked to be one")
            }
            busSettings.eventsTogether = settings.integer("TANDEM_EVENTS_TOGETHER")
            let bus = Bus(settings: busSettings, service: declaration.name, instance: instance, logger: logger)
            health.add("RabbitMQ") { bus.isReady }
            servers.bus = bus
        }
        self.servers = servers
        runtime = Runtime(
            service: declaration.name, instance: instance, settings: settings, logger: logger, clusterKey: clusterKey, servers: servers,
            fleet: Fleet(), health: health)
        self.admin = AdminServer(
            address: admin, service: declaration.name.rawValue, instance: instance, health: health, logger: logger)
        drainSeconds = settings.integer("TANDEM_DRAIN_SECONDS")
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await serveOperators() }
            group.addTask {
                try await withGracefulShutdownHandler {
                    try await work()
                } onGracefulShutdown: {
                    // Nothing has begun yet that would have to be finished.
                    if !runtime.health.isStarted { ServiceProgram.leave(0) }
                }
            }
            // Whichever ends first ends both: the work after a stop, or the admin port when its address is taken.
            try await group.next()
            group.cancelAll()
        }
    }

    /// Not a child task: a child would be told to stop with the service, and operators want answers while it drains.
    private func serveOperators() async throws {
        // A predecessor of the same address may still serve them.
        await declaration.hold?()
        try Task.checkCancellation()
        let serving = Task.detached { try await admin.run() }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            serving.cancel()
        }
    }

    private func work() async throws {
        try await startServers()
        try await wire(runtime)
        await declaration.hold?()
        try Task.checkCancellation()
        if let bus = servers.bus {
            if declaration.needs.contains(.fleet) { keepFleet(bus) }
            await bus.start()
            try Task.checkCancellation()
        }
        try await withThrowingDiscardingTaskGroup { group in
            for body in runtime.backgroundBodies { group.addTask { await body() } }
            try await runtime.runReadyHooks()
            runtime.health.markStarted()
            logger.info("\(declaration.name.rawValue) is ready")
            await announceUntilStopped()
            await drain()
            group.cancelAll()
            leaveSoon()
        }
    }

    /// All that was to be kept is kept: what still waits for something that has ended keeps no process.
    private func leaveSoon() {
        Task.detached {
            try? await Task.sleep(for: .seconds(1))
            logger.warning("\(declaration.name.rawValue) ends, though not all of its work has")
            ServiceProgram.leave(0)
        }
    }

    private func keepFleet(_ bus: Bus) {
        let fleet = runtime.fleet
        // Its own voice among them: who hears not even that is deaf.
        let kinds = Set([declaration.name] + declaration.hears)
        bus.listen(to: kinds.map { Announcement.typePrefix + $0.rawValue }.sorted()) { event in
            guard let announcement = Announcement(event) else { return }
            fleet.hear(announcement, now: MonotonicClock.now())
        }
    }

    private func startServers() async throws {
        if let database = servers.database {
            await database.start()
            try Task.checkCancellation()
            if let schema = declaration.schema { try await database.migrate(schema: schema, declaration.migrations) }
        }
        if let cache = servers.cache {
            if declaration.needs.contains(.cache) { await cache.start() } else { cache.startAside() }
        }
        try Task.checkCancellation()
    }

    private func announceUntilStopped() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await announceUntilCancelled() }
            group.addTask {
                // Throws only when the task itself is cancelled, which ends the wait as well.
                try? await gracefulShutdown()
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func announceUntilCancelled() async {
        while !Task.isCancelled {
            announce()
            try? await Task.sleep(for: Self.announceEvery)
        }
    }

    private func announce() {
        // Who cannot be told anything is nobody to send to, though its own voice may carry.
        guard let bus = servers.bus, bus.isReady else { return }
        bus.signal(runtime.announcement.event(id: runtime.newID("evt"), timestamp: runtime.timestamp()))
    }

    private func drain() async {
        runtime.health.markDraining()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await runtime.runDrainHooks() }
            group.addTask { try? await Task.sleep(for: .seconds(drainSeconds)) }
            // Others still send it what belongs to the work it has, as long as they hear of it.
            group.addTask { await announceUntilCancelled() }
            await group.next()
            group.cancelAll()
        }
        await servers.bus?.stop()
        servers.cache?.stop()
        servers.database?.stop()
        logger.info("\(declaration.name.rawValue) has stopped")
    }
}
