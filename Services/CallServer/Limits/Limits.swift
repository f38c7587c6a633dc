import Bus
import Contracts
import Database
import Logging
import ServiceKit

/// The operations on limits, and how their changes reach the engines of all instances.
struct Limits: Sendable {
    static let changed = "callserver.limits_changed"
    /// When a change was not told of, it is found so late.
    private static let pause = Duration.seconds(10)

    static let settings = [
        Setting(
            "TANDEM_CUSTOMER_CALLS", .integer(0...1_000_000), default: "5000",
            "calls at once of a customer that has no limit of its own, on all instances together; 0: any number"),
        Setting(
            "TANDEM_CUSTOMER_CALLS_PER_SECOND", .integer(0...1_000_000), default: "1000",
            "calls such a customer may begin within a second; 0: any number"),
    ]

    static func defaults(_ settings: Settings) -> CallLimitTable.Defaults {
        func bound(_ name: String) -> Int? { settings.integer(name) == 0 ? nil : settings.integer(name) }
        return CallLimitTable.Defaults(
            concurrentCalls: bound("TANDEM_CUSTOMER_CALLS"), callsPerSecond: bound("TANDEM_CUSTOMER_CALLS_PER_SECOND"))
    }

    private let engine: CallEngine
    private let store: LimitStore
    private let runtime: Runtime
    private let readings = Readings()
    private let looks: AsyncStream<Void>
    private let look: AsyncStream<Void>.Continuation

    init(engine: CallEngine, store: LimitStore, runtime: Runtime) {
        (self.engine, self.store, self.runtime) = (engine, store, runtime)
        (looks, look) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func serve(on bus: Bus) {
        bus.serve(CreateCallLimit.self) { command, _ in await self.told(try await store.create(command)) }
        bus.serve(GetCallLimit.self) { command, _ in
            guard let limit = try await store.find(command.id, customer: command.customerID) else { throw Self.missing }
            return await counted([limit])[0]
        }
        bus.serve(ListCallLimits.self) { command, _ in
            var page = try await store.list(command)
            page.data = await counted(page.data)
            return page
        }
        bus.serve(UpdateCallLimit.self) { command, _ in
            guard let limit = try await store.change(command) else { throw Self.missing }
            return await told(limit)
        }
        bus.serve(DeleteCallLimit.self) { command, _ in
            guard try await store.delete(command.id, customer: command.customerID) else { throw Self.missing }
            _ = await told(nil as CallLimit?)
            return Done()
        }
        bus.listen(to: [Self.changed]) { [look] _ in look.yield() }
    }

    private static let missing = RPCError(.notFound, "no such limit")

    /// This instance knows before it answers, the others are told.
    private func told<Value: Sendable>(_ value: Value) async -> Value {
        do { try await load() } catch { runtime.logger.warning("limits cannot be read: \(error)") }
        runtime.bus.signal(Event(
            id: runtime.newID("evt"), type: Self.changed, timestamp: runtime.timestamp(), customerID: "", resourceID: runtime.instance,
            sequence: 0, data: [:]))
        return value
    }

    /// With how many calls there are; without when Redis does not tell.
    private func counted(_ limits: [CallLimit]) async -> [CallLimit] {
        let allowances = await engine.limited.allowances
        let keys = limits.map { CallLimitTable.key($0.scope, $0.target, of: $0.customerID) }
        guard let counts = try? await allowances.counts(keys) else { return limits }
        return zip(limits, counts).map { limit, count in
            var limit = limit
            limit.currentCalls = count
            return limit
        }
    }

    private func load() async throws { try await readings.next { await engine.use(try await read()) } }

    /// All limits, as they are now.
    func read() async throws -> CallLimitTable { CallLimitTable(try await store.all(), defaults: Self.defaults(runtime.settings)) }

    /// Takes changes over that others tell of, and now and then those nobody told of, until cancelled.
    func follow() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [look] in
                while !Task.isCancelled {
                    look.yield()
                    // Throws only when cancelled, which ends the loop.
                    try? await Task.sleep(for: Self.pause)
                }
                look.finish()
            }
            var state: String?
            for await _ in looks {
                do {
                    let now = try await store.state()
                    if now != state { try await load() }
                    state = now
                } catch {
                    runtime.logger.warning("limits cannot be read: \(error)")
                }
            }
        }
    }
}

/// One reading at a time: what was read earlier is never used after what was read later.
private actor Readings {
    private var last: Task<Void, any Error>?

    func next(_ reading: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { [last] in
            _ = try? await last?.value
            try await reading()
        }
        last = task
        try await task.value
    }
}
