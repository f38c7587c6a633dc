import Contracts
import Database
import Deadlines
import Logging
import Synchronization
import Telemetry

/// Writes call records and their events to PostgreSQL behind the calls, in order, many at a time.
///
/// No disk flush and no round trip stands between an INVITE and its 200 (DESIGN §5). While PostgreSQL is away the entries wait,
/// up to a bound; the oldest beyond it are dropped and counted.
final class RecordWriter: Sendable {
    struct Entry: Sendable {
        let call: Call
        let event: Event
        let written: (@Sendable () -> Void)?
    }

    private struct State {
        var waiting: [Entry] = []
        var wake: CheckedContinuation<Void, Never>?
        var isStopped = false
    }

    private static let batch = 200
    private static let dropped = Counter("tandem_call_records_dropped_total", "call events lost because PostgreSQL was away too long")

    private let state = Mutex(State())
    private let store: CallStore
    private let capacity: Int
    private let logger: Logger
    private let committed: @Sendable () -> Void

    /// `committed` runs after each transaction: it wakes the outbox.
    init(store: CallStore, capacity: Int, logger: Logger, committed: @escaping @Sendable () -> Void) {
        (self.store, self.capacity, self.logger, self.committed) = (store, capacity, logger, committed)
    }

    func put(_ entry: Entry) {
        let (wake, overflow) = state.withLock { state in
            state.waiting.append(entry)
            var overflow: [Entry] = []
            if state.waiting.count > capacity {
                overflow = [state.waiting.removeFirst()]
            }
            let wake = state.wake
            state.wake = nil
            return (wake, overflow)
        }
        if !overflow.isEmpty { Self.dropped.add() }
        wake?.resume()
    }

    /// Runs until `stop`, and then until all is written or PostgreSQL fails.
    func run() async {
        var pause = Interval.milliseconds(50)
        while true {
            let batch = state.withLock { Array($0.waiting.prefix(Self.batch)) }
            if batch.isEmpty {
                if state.withLock({ $0.isStopped }) { return }
                await waitForWork()
                continue
            }
            do {
                try await store.write(batch)
                state.withLock { $0.waiting.removeFirst(min(batch.count, $0.waiting.count)) }
                committed()
                for entry in batch { entry.written?() }
                pause = .milliseconds(50)
            } catch {
                logger.warning("call records wait for PostgreSQL: \(error)")
                if state.withLock({ $0.isStopped }) { return }
                try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    /// Waits until everything is written, or for as long as draining may take.
    func finish() async {
        while state.withLock({ !$0.waiting.isEmpty }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
        stop()
    }

    private func stop() {
        let wake = state.withLock { state in
            state.isStopped = true
            let wake = state.wake
            state.wake = nil
            return wake
        }
        wake?.resume()
    }

    private func waitForWork() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.waiting.isEmpty || state.isStopped { return true }
                state.wake = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
