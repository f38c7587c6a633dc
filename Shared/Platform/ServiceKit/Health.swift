internal import Synchronization

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
    }

    private let state = Mutex(State())

    public init() {}

    public func add(_ name: String, isReady: @escaping @Sendable () -> Bool) {
        state.withLock { $0.checks.append(Check(name: name, isReady: isReady)) }
    }

    func markStarted() { state.withLock { $0.isStarted = true } }
    func markDraining() { state.withLock { $0.isDraining = true } }

    /// What a process that drains still has to finish, in words for operators.
    public func wait(for names: [String]) { state.withLock { $0.waitingFor = names } }
    var waitingFor: [String] { state.withLock { $0.waitingFor } }

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
