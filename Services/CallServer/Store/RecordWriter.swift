import Contracts
import Database
import Deadlines
import Flow
import Logging
import Synchronization
import Telemetry
import Threads

/// Writes call records and their events to PostgreSQL behind the calls, in order, many at a time.
///
/// No disk flush and no round trip stands between an INVITE and its 200 (DESIGN §5). While PostgreSQL is away the entries wait,
/// up to a bound; what comes beyond it is dropped and counted.
final class RecordWriter: Sendable {
    /// An event of a call, with the record as it was then.
    struct Entry: Sendable {
        let id: String
        /// Nil: no event, the record alone.
        let type: String?
        let timestamp: Timestamp
        let call: Call
        let sequence: Int64
        /// Whose it is: of the process that owned the call then.
        let epoch: UInt64
        /// What the event says besides.
        let details: [String: JSONValue]
        /// What those who watch the phone are told besides what is in the record.
        let dialog: Leg.DialogSide?
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
        /// Whether PostgreSQL still lives as it did is to be asked.
        var isDoubtful = false
        /// Entries that have come, and that have been dealt with.
        var taken = 0
        var done = 0

        mutating func takeWake() -> CheckedContinuation<Void, Never>? {
            defer { wake = nil }
            return wake
        }
    }

    private static let batch = 200
    private static let linger = Duration.milliseconds(25)
    /// After a batch that large, for which there was much to do: the next one is to be larger still, and fewer statements made.
    private static let (large, longLinger) = (8, Duration.milliseconds(60))
    /// By then the disk has it, also a slow one.
    private static let keptFor = Duration.seconds(5)
    private static let look = Duration.milliseconds(500)
    private static let dropped = Counter("tandem_call_records_dropped_total", "call events lost because PostgreSQL was away too long")

    private let state = Mutex(State())
    let store: CallStore
    private let capacity: Int
    private let logger: Logger
    private let committed: @Sendable () -> Void

    /// What a crash of PostgreSQL would take back, in order, and the life in which it was written. `run`'s alone.
    private struct Recent {
        var life: String?
        var entries: [(entry: Entry, at: ContinuousClock.Instant)] = []
        /// What no crash takes back, and what was refused, since it was last told.
        var paid: [(id: String, sequence: Int64)] = []

        mutating func settle(_ isOld: (ContinuousClock.Instant) -> Bool) {
            for recent in entries where isOld(recent.at) { paid.append((recent.entry.call.id, recent.entry.sequence)) }
            entries.removeAll { isOld($0.at) }
        }
    }

    /// `committed` runs after each transaction: it wakes the outbox.
    init(store: CallStore, capacity: Int, logger: Logger, committed: @escaping @Sendable () -> Void) {
        (self.store, self.capacity, self.logger, self.committed) = (store, capacity, logger, committed)
    }

    /// False: too much waits already.
    func put(_ entry: Entry) -> Bool {
        let (isTaken, wake) = state.withLock { state in
            guard state.waiting.count + state.underWay < capacity else { return (false, CheckedContinuation<Void, Never>?.none) }
            state.waiting.append(entry)
            state.taken += 1
            if entry.written != nil { state.isUrgent = true }
            return (true, state.takeWake())
        }
        if !isTaken { Self.dropped.add() }
        wake?.resume()
        return isTaken
    }

    /// Runs until `finish`. `lived` hears now and then which life PostgreSQL lived at a moment, `paid` what the disk has, or never will.
    func run(
        lived: @Sendable (_ life: String, _ at: Instant) -> Void, paid: @Sendable (_ records: [(id: String, sequence: Int64)]) -> Void
    ) async {
        var recent = Recent()
        var linger = Self.linger
        while true {
            if state.withLock({ $0.isDoubtful }) {
                let asked = MonotonicClock.now()
                if await confirm(&recent), let life = recent.life { lived(life, asked) }
                if !recent.paid.isEmpty { paid(recent.paid) }
                recent.paid = []
            }
            // A call's beginning is busy enough: what it tells may wait a moment, and goes together.
            if state.withLock({ !$0.isStopped && !$0.isUrgent }) { try? await Task.sleep(for: linger) }
            let entries = state.withLock { state in
                let entries = state.waiting
                state.waiting = []
                state.underWay = entries.count
                state.isUrgent = false
                return entries
            }
            if entries.isEmpty {
                if state.withLock({ $0.isStopped }) {
                    // Nobody is left to write it again: a crash that comes now takes it.
                    recent.settle { _ in true }
                    return paid(recent.paid)
                }
                await waitForWork()
                linger = Self.linger
                continue
            }
            linger = entries.count < Self.large ? Self.linger : Self.longLinger
            var start = 0
            while start < entries.count {
                let end = min(start + Self.batch, entries.count)
                await write(Array(entries[start..<end]), &recent)
                state.withLock { state in
                    state.underWay -= end - start
                    state.done += end - start
                }
                start = end
            }
        }
    }

    /// Writes a batch, however long PostgreSQL is away. An entry that it refuses for itself must not hold up the others.
    private func write(_ batch: [Entry], _ recent: inout Recent) async {
        var pause = Interval.milliseconds(50)
        while true {
            do {
                guard let life = recent.life, try await store.write(batch, in: life) else {
                    try await follow(&recent)
                    continue
                }
                recent.entries += batch.map { (entry: $0, at: .now) }
                committed()
                for entry in batch {
                    entry.written?(true)
                    log(entry)
                }
                return
            } catch {
                if let error = error as? DatabaseError, !error.mayPassLater {
                    if batch.count > 1 {
                        for entry in batch { await write([entry], &recent) }
                    } else {
                        Self.dropped.add()
                        logger.error("an event of call \(batch[0].call.id) cannot be written: \(error)")
                        batch[0].written?(true)
                        recent.paid.append((batch[0].call.id, batch[0].sequence))
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

    // MARK: When PostgreSQL has crashed

    /// Has `run` ask now and then whether PostgreSQL has forgotten what it was told last; until cancelled.
    func watch() async {
        while !Task.isCancelled {
            let wake = state.withLock { state in
                state.isDoubtful = true
                return state.takeWake()
            }
            wake?.resume()
            do { try await Task.sleep(for: Self.look) } catch { return }
        }
    }

    /// False when it cannot be asked.
    private func confirm(_ recent: inout Recent) async -> Bool {
        state.withLock { $0.isDoubtful = false }
        let asked = ContinuousClock.now
        do { try await follow(&recent) } catch { return false }
        recent.settle { asked - $0 > Self.keptFor }
        return true
    }

    /// Writes again, in another life, what was written in the one before and may be gone: a record is brought up to date or is so already, and
    /// an event that was told has its id.
    private func follow(_ recent: inout Recent) async throws {
        let life = try await store.lives.current()
        guard life != recent.life else { return }
        if recent.life != nil, !recent.entries.isEmpty {
            logger.notice("PostgreSQL has crashed: the last \(recent.entries.count) events of calls are written again")
            for start in stride(from: 0, to: recent.entries.count, by: Self.batch) {
                let again = recent.entries[start..<min(start + Self.batch, recent.entries.count)].map(\.entry)
                guard try await store.write(again, in: life) else { throw DatabaseError.unavailable("it has crashed again") }
            }
            committed()
        }
        recent.life = life
    }

    /// One line an event, written here so that no call waits for it.
    private func log(_ entry: Entry) {
        guard let type = entry.type else { return }
        logger.info("\(type)", metadata: [
            "call": "\(entry.call.id)", "status": "\(entry.call.status.rawValue)", "sip_call_id": "\(entry.call.sipCallID ?? "-")",
        ])
    }

    /// Waits until what has come so far is written, and no longer than that: another instance writes of the same calls next.
    func settle(within limit: Interval) async {
        let (wanted, end) = (state.withLock { state in
            state.isUrgent = true
            return state.taken
        }, MonotonicClock.now() + limit)
        while state.withLock({ $0.done < wanted }), MonotonicClock.now() < end, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
    }

    /// Waits until everything is written, or for as long as draining may take.
    func finish() async {
        while state.withLock({ !$0.waiting.isEmpty || $0.underWay > 0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
        stop()
    }

    private func stop() {
        let wake = state.withLock { state in
            state.isStopped = true
            return state.takeWake()
        }
        wake?.resume()
    }

    private func waitForWork() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.waiting.isEmpty || state.isStopped || state.isDoubtful { return true }
                state.wake = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}

extension DatabaseError {
    /// Whether the same statement may pass later.
    fileprivate var mayPassLater: Bool { if case .unavailable = self { true } else { isConflict } }
}
