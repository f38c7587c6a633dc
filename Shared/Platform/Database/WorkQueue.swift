internal import Deadlines
internal import Synchronization
internal import Telemetry
internal import Threads

/// The work in front of all connections of a database: first come, first served by whichever is free.
final class WorkQueue: Sendable {
    typealias Work = @Sendable (Result<Connection, DatabaseError>) -> Void

    private struct Item: Sendable {
        let work: Work
        let deadline: Instant
    }

    private struct State: Sendable {
        var items: [Item] = []
        /// Items before this index are done.
        var first = 0
        var idle: [Worker] = []
        var connected = 0
        var isClosed = false

        var count: Int { items.count - first }

        mutating func take() -> Item? {
            guard first < items.count else { return nil }
            defer {
                first += 1
                if first == items.count { (items, first) = ([], 0) }
            }
            return items[first]
        }
    }

    private static let limit = 2_048
    /// A caller that has waited this long has given up.
    private static let patience = Interval.seconds(2)
    private static let refused = Counter("tandem_database_refused_total", "Work refused: the queue was full or slow.")

    let availability = Availability()
    private let state = Mutex(State())

    func put(_ work: @escaping Work) {
        enum Outcome {
            case wake(Worker?)
            case refuse(String)
        }
        let item = Item(work: work, deadline: MonotonicClock.now() + Self.patience)
        let outcome = state.withLock { state -> Outcome in
            guard !state.isClosed else { return .refuse("the database is stopped") }
            guard state.connected > 0 else { return .refuse("PostgreSQL is away: \(availability.reason ?? "not connected")") }
            guard state.count < Self.limit else { return .refuse("too much work waits for PostgreSQL") }
            state.items.append(item)
            return .wake(state.idle.popLast())
        }
        switch outcome {
        case .wake(let worker): worker?.wake()
        case .refuse(let reason):
            Self.refused.add()
            work(.failure(.unavailable(reason)))
        }
    }

    /// The next work for `worker`, which is idle when there is none, and is then woken for the next.
    func next(for worker: Worker, now: Instant) -> Work? {
        while true {
            let item = state.withLock { state -> Item? in
                if let item = state.take() { return item }
                if !state.idle.contains(where: { $0 === worker }) { state.idle.append(worker) }
                return nil
            }
            guard let item else { return nil }
            if now < item.deadline { return item.work }
            Self.refused.add()
            item.work(.failure(.unavailable("waited too long for a connection")))
        }
    }

    func connected(_ worker: Worker) {
        state.withLock { $0.connected += 1 }
        availability.came()
    }

    /// True when the last connection is lost and that is worth a line in the log.
    func disconnected(_ worker: Worker, wasConnected: Bool, _ reason: String, now: Instant) -> Bool {
        let (isLast, stranded) = state.withLock { state -> (Bool, [Item]) in
            state.idle.removeAll { $0 === worker }
            if wasConnected { state.connected -= 1 }
            guard state.connected == 0 else { return (false, []) }
            defer { (state.items, state.first) = ([], 0) }
            return (true, Array(state.items[state.first...]))
        }
        guard isLast else { return false }
        let isNews = availability.left(reason, now: now)
        for item in stranded { item.work(.failure(.unavailable("PostgreSQL is away: \(reason)"))) }
        return isNews
    }

    func close() {
        state.withLock { $0.isClosed = true }
        availability.close()
    }
}
