public import Bus
public import Cache
public import Contracts
public import Database
public import Logging
internal import Cryptography
internal import Synchronization
internal import Threads

/// What a service is given to be wired from: its settings, its servers, and who else is alive.
public final class Runtime: Sendable {
    public let service: ServiceName
    public let instance: String
    /// New in every process; tells a restarted instance from its predecessor of the same name.
    public let incarnation: String
    public let settings: Settings
    public let logger: Logger
    public let fleet: Fleet
    public let health: Health
    private let clusterKey: [UInt8]
    private let servers: Servers
    private let hooks = Mutex(Hooks())
    private let presence: Mutex<Announcement>

    struct Servers: Sendable {
        var bus: Bus?
        var database: Database?
        var cache: Cache?
    }

    private struct Hooks {
        var ready: [@Sendable () async throws -> Void] = []
        var drain: [@Sendable () async -> Void] = []
        var background: [@Sendable () async -> Void] = []
    }

    init(
        service: ServiceName, instance: String, settings: Settings, logger: Logger, clusterKey: [UInt8], servers: Servers,
        fleet: Fleet, health: Health
    ) {
        (self.service, self.instance, self.settings, self.logger) = (service, instance, settings, logger)
        (self.clusterKey, self.servers, self.fleet, self.health) = (clusterKey, servers, fleet, health)
        incarnation = Identifier.make(
            "inc", milliseconds: WallClock.milliseconds(), random: (.random(in: .min ... .max), .random(in: .min ... .max)))
        presence = Mutex(Announcement(service: service, instance: instance, incarnation: incarnation))
    }

    public var bus: Bus {
        guard let bus = servers.bus else { preconditionFailure("\(service) does not declare that it needs the bus") }
        return bus
    }

    public var database: Database {
        guard let database = servers.database else { preconditionFailure("\(service) does not declare that it needs the database") }
        return database
    }

    public var cache: Cache {
        guard let cache = servers.cache else { preconditionFailure("\(service) does not declare that it needs the cache") }
        return cache
    }

    /// A new id, `PREFIX_` and a ULID.
    public func newID(_ prefix: String) -> String {
        Identifier.make(
            prefix, milliseconds: WallClock.milliseconds(), random: (.random(in: .min ... .max), .random(in: .min ... .max)))
    }

    public func timestamp() -> Timestamp { Timestamp(milliseconds: WallClock.milliseconds()) }

    /// 32 bytes for one purpose, made from the cluster key: equal in all services, and no purpose tells another's.
    public func key(for purpose: String) -> [UInt8] {
        DigestAlgorithm.sha256.authenticate(Array(purpose.utf8), key: clusterKey)
    }

    /// Runs after the bus is up, when work may come in from outside: open the listeners here.
    public func whenReady(_ body: @escaping @Sendable () async throws -> Void) { hooks.withLock { $0.ready.append(body) } }

    /// Runs when the process is asked to stop, last added first: finish or hand over, then return.
    public func whenDraining(_ body: @escaping @Sendable () async -> Void) { hooks.withLock { $0.drain.append(body) } }

    /// Runs beside the service from its start until it has drained; then its task is cancelled.
    public func background(_ body: @escaping @Sendable () async -> Void) { hooks.withLock { $0.background.append(body) } }

    var backgroundBodies: [@Sendable () async -> Void] { hooks.withLock { $0.background } }

    /// Changes what this instance announces: addresses, pool, load.
    public func announce(_ change: (inout Announcement) -> Void) {
        presence.withLock { change(&$0) }
    }

    var announcement: Announcement {
        var current = presence.withLock { $0 }
        current.draining = health.isDraining
        return current
    }

    func runReadyHooks() async throws {
        for hook in hooks.withLock({ $0.ready }) { try await hook() }
    }

    func runDrainHooks() async {
        for hook in hooks.withLock({ $0.drain }).reversed() { await hook() }
    }
}
