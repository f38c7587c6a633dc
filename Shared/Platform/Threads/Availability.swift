public import Deadlines
internal import Synchronization

/// Whether a client's server is there: asked by health checks, awaited at start, and said in the log at a bearable rate.
public final class Availability: Sendable {
    private enum Status {
        case away(reason: String)
        case here
        case closed
    }

    private struct State: Sendable {
        var status = Status.away(reason: "not started")
        var saidAt: Instant?
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private static let repeatAfter = Interval.seconds(5)
    private let state = Mutex(State())

    public init() {}

    public var isHere: Bool {
        state.withLock { if case .here = $0.status { true } else { false } }
    }

    /// Why the server is away; nil while it is here.
    public var reason: String? {
        state.withLock {
            switch $0.status {
            case .here: nil
            case .away(let reason): reason
            case .closed: "stopped"
            }
        }
    }

    public func came() { settle(.here) }

    /// Ends every wait; nothing comes afterwards.
    public func close() { settle(.closed) }

    /// True when this is worth a line in the log: at the first failure, and every five seconds while it lasts.
    public func left(_ reason: String, now: Instant) -> Bool {
        state.withLock { state in
            if case .closed = state.status { return false }
            if case .here = state.status { state.saidAt = nil }
            state.status = .away(reason: reason)
            if let saidAt = state.saidAt, now - saidAt < Self.repeatAfter { return false }
            state.saidAt = now
            return true
        }
    }

    /// Returns when the server is there, when the client is closed, or when the task is cancelled.
    public func wait() async {
        let ticket = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard case .away = state.status, !Task.isCancelled else { return false }
                    state.waiters[ticket] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
    }

    private func settle(_ status: Status) {
        let waiters = state.withLock { state in
            if case .closed = state.status { return [CheckedContinuation<Void, Never>]() }
            state.status = status
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }
}
