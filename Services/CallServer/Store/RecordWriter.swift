import Contracts
import Database
import Deadlines
import Flow
import Logging
import Synchronization
import Telemetry

/// Writes call records and their events to PostgreSQL behind the calls, in order, many at a time.
///
/// No disk flush and no round trip stands between an INVITE and its 200 (DESIGN §5). While PostgreSQL is away the entries wait,
/// up to a bound; what comes beyond it is dropped and counted.
final class RecordWriter: Sendable {
    /// An event of a call, with the record as it was then.
    struct Entry: Sendable {
        let id: String
        let type: String
        let timestamp: Timestamp
        let call: Call
        let sequence: Int64
        /// What the event says besides.
        let details: [String: JSONValue]
        let written: (@Sendable (Bool) -> Void)?
    }

    private struct State {
        var waiting: [Entry] = []
        /// Taken out of `waiting` by `run`, and not written yet.
        var underWay = 0
        var wake: CheckedContinuation<Void, Never>?
        var isStopped = false
        /// Somebody waits for an entry.
        var isUrgent = false
    }

    private static let batch = 200
    private static let linger = Duration.milliseconds(25)
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
        let (isTaken, wake) = state.withLock { state in
            guard state.waiting.count + state.underWay < capacity else { return (false, CheckedContinuation<Void, Never>?.none) }
            state.waiting.append(entry)
            if entry.written != nil { state.isUrgent = true }
            let wake = state.wake
            state.wake = nil
            return (true, wake)
        }
        if !isTaken { Self.dropped.add() }
        wake?.resume()
    }

    /// Runs until `finish`.
    func run() async {
        while true {
            // A call's beginning is busy enough: what it tells may wait a moment, and goes together.
            if state.withLock({ !$0.isStopped && !$0.isUrgent }) { try? await Task.sleep(for: Self.linger) }
            let entries = state.withLock { state in
                let entries = state.waiting
                state.waiting = []
                state.underWay = entries.count
                state.isUrgent = false
                return entries
            }
            if entries.isEmpty {
                if state.withLock({ $0.isStopped }) { return }
                await waitForWork()
                continue
            }
            var start = 0
            while start < entries.count {
                let end = min(start + Self.batch, entries.count)
                await write(Array(entries[start..<end]))
                state.withLock { $0.underWay -= end - start }
                start = end
            }
        }
    }

    /// Writes a batch, however long PostgreSQL is away. An entry that it refuses for itself must not hold up the others.
    private func write(_ batch: [Entry]) async {
        var pause = Interval.milliseconds(50)
        while true {
            do {
                try await store.write(batch)
                committed()
                for entry in batch {
                    entry.written?(true)
                    log(entry)
                }
                return
            } catch {
                if let error = error as? DatabaseError, !error.isUnavailable {
                    if batch.count > 1 {
                        for entry in batch { await write([entry]) }
                    } else {
                        Self.dropped.add()
                        logger.error("an event of call \(batch[0].call.id) cannot be written: \(error)")
                    }
                    return
                }
                logger.warning("call records wait for PostgreSQL: \(error)")
                if state.withLock({ $0.isStopped }) { return }
                try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    /// One line an event, written here so that no call waits for it.
    private func log(_ entry: Entry) {
        logger.info("\(entry.type)", metadata: [
            "call": "\(entry.call.id)", "status": "\(entry.call.status.rawValue)", "sip_call_id": "\(entry.call.sipCallID ?? "-")",
        ])
    }

    /// Waits until everything is written, or for as long as draining may take.
    func finish() async {
        while state.withLock({ !$0.waiting.isEmpty || $0.underWay > 0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
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

extension DatabaseError {
    /// Whether the same statement may pass later.
    fileprivate var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
}
