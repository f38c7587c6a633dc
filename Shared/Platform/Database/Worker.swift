internal import Deadlines
internal import Logging
internal import Threads

/// One connection's thread: connects, does the queue's work, notices when the server goes, connects again.
final class Worker: @unchecked Sendable {
    // Sendable: `connection` and below are touched on `thread` only.

    private let thread: ConnectionThread
    private let settings: Database.Settings
    private let queue: WorkQueue
    private let logger: Logger
    private var connection: Connection?
    private var retryAt = Instant(nanoseconds: 0)
    private var backoff = Backoff(last: .seconds(1))

    init(number: Int, settings: Database.Settings, queue: WorkQueue, logger: Logger) {
        (self.settings, self.queue, self.logger) = (settings, queue, logger)
        thread = ConnectionThread(name: "database-\(number)", capacity: 1_024)
    }

    func start() { thread.start { self.attend($0) } }

    func stop() { thread.stop() }

    func wake() { _ = thread.submit {} }

    private func attend(_ occasion: ConnectionThread.Occasion) -> ConnectionThread.Pause {
        let now = MonotonicClock.now()
        if connection == nil, now >= retryAt { connect(now) }
        if occasion == .ready, let connection {
            // Between statements the server has nothing to say but its farewell.
            connection.attend()
        }
        work()
        if let connection, !connection.isUsable { lose("the connection was closed", wasConnected: true) }
        guard let connection else { return .init(limit: max(.milliseconds(1), retryAt - now)) }
        return .init(descriptor: connection.descriptor)
    }

    private func connect(_ now: Instant) {
        do {
            connection = try Connection(settings)
            backoff.reset()
            queue.connected(self)
        } catch {
            let reason = if case .unavailable(let reason) = error { reason } else { "\(error)" }
            lose(reason, wasConnected: false)
        }
    }

    private func work() {
        while let connection, connection.isUsable, let work = queue.next(for: self, now: MonotonicClock.now()) {
            work(.success(connection))
            connection.leaveTransaction()
        }
    }

    private func lose(_ reason: String, wasConnected: Bool) {
        connection = nil
        let now = MonotonicClock.now()
        retryAt = now + backoff.next(random: .random(in: 0 ... .max))
        if queue.disconnected(self, wasConnected: wasConnected, reason, now: now) {
            logger.warning("waiting for PostgreSQL: \(reason)")
        }
    }
}
