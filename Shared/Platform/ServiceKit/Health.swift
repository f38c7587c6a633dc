internal import Deadlines
internal import Synchronization
internal import Telemetry
internal import Threads

/// Whether this process lives, is ready for work, and what it waits for: what the admin port tells.
public final class Health: Sendable {
    public struct Check: Sendable {
        public let name: String
        public let isReady: @Sendable () -> Bool
    }

    private struct State {
        var checks: [Check] = []
        var isStarted = false
        var isDraining = false
        var waitingFor: [String] = []
        var calls: (@Sendable () -> Int)?
    }

    private static let draining = Gauge("tandem_draining", "1 while the process finishes its work and takes nothing new")

    private let state = Mutex(State())
    private let began: Instant

    public convenience init() { self.init(began: MonotonicClock.now()) }

    init(began: Instant) {
        self.began = began
        Self.draining.set(0)
    }

    public func add(_ name: String, isReady: @escaping @Sendable () -> Bool) {
        state.withLock { $0.checks.append(Check(name: name, isReady: isReady)) }
    }

    func markStarted() { state.withLock { $0.isStarted = true } }
    func markDraining() {
        state.withLock { $0.isDraining = true }
        Self.draining.set(1)
    }

    /// What a process that drains still has to finish, in words for operators.
    public func wait(for names: [String]) { state.withLock { $0.waitingFor = names } }
    var waitingFor: [String] { state.withLock { $0.waitingFor } }

    /// Of a service that has calls: how many are up.
    public func countCalls(_ count: @escaping @Sendable () -> Int) { state.withLock { $0.calls = count } }
    var activeCalls: Int? { state.withLock { $0.calls }?() }

    /// Whole seconds of this process's life.
    func uptime(now: Instant) -> Int64 { (now - began).nanoseconds / 1_000_000_000 }

    var isStarted: Bool { state.withLock { $0.isStarted } }
    public var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Names of what is missing; empty when ready.
    public var missing: [String] {
        let (checks, isStarted, isDraining) = state.withLock { ($0.checks, $0.isStarted, $0.isDraining) }
        var names = checks.filter { !$0.isReady() }.map(\.name)
        if !isStarted { names.append("start") }
        if isDraining { names.append("draining") }
        return names
    }
}
