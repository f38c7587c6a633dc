import Synchronization

/// The requests that this instance makes at the moment, by run and number, and who waits for their answers.
final class RequestsUnderWay: Sendable {
    private struct State {
        var waiters: [String: [CheckedContinuation<Void, Never>]] = [:]
        /// How often each was begun: of two who store the same move one does so in vain, and ends it.
        var requests: [String: Int] = [:]
    }

    private let most: Int
    private let state = Mutex(State())

    /// More than `most` are not sent: the flow is told, as of a server that is not reached.
    init(most: Int) { self.most = most }

    static func key(_ runID: String, _ number: Int) -> String { "\(runID)/\(number)" }

    func contains(_ request: String) -> Bool { state.withLock { $0.requests[request] != nil } }

    var count: Int { state.withLock { $0.requests.count } }

    var isFull: Bool { count > most }

    /// Before it is stored that we make it: from then on whoever reads that must find it here.
    func begin(_ request: String) { state.withLock { $0.requests[request, default: 0] += 1 } }

    func end(_ request: String) {
        let waiters = state.withLock { state in
            state.requests[request] = state.requests[request].flatMap { $0 > 1 ? $0 - 1 : nil }
            return state.waiters.removeValue(forKey: request) ?? []
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when it has its answer, at the latest after `limit`.
    func wait(for request: String, atMost limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForEnd(request) }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            // The other child of a wait that took too long is let go: its continuation must not be held.
            self.release(request)
            group.cancelAll()
        }
    }

    private func waitForEnd(_ request: String) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.requests[request] != nil else { return true }
                state.waiters[request, default: []].append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Those who wait look again, whether or not there is an answer.
    private func release(_ request: String) {
        let waiters = state.withLock { $0.waiters.removeValue(forKey: request) ?? [] }
        for waiter in waiters { waiter.resume() }
    }
}
