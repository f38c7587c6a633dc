public import Deadlines
public import Logging
internal import Synchronization
internal import Threads

/// PostgreSQL for one service: a few connections, each on a thread of its own, and one bounded queue in front of them.
///
/// Bodies run on a connection's thread: they may block on the database and on nothing else. While no connection stands, or
/// none becomes free in time, work fails with `DatabaseError.unavailable` instead of waiting.
public final class Database: Sendable {
    public struct Settings: Sendable {
        /// A libpq connection string or `postgresql://` URI.
        public var connection: String
        public var connections: Int
        public var statementTimeout: Interval
        public var applicationName: String

        public init(
            connection: String, connections: Int = 4, statementTimeout: Interval = .seconds(2), applicationName: String = "tandem"
        ) {
            (self.connection, self.connections) = (connection, connections)
            (self.statementTimeout, self.applicationName) = (statementTimeout, applicationName)
        }
    }

    /// What a commit waits for (DESIGN §5).
    public enum Durability: Sendable {
        /// The disk: configuration, money, accepted messages.
        case durable
        /// Nothing: progress that its owner can write again. Only a crash of PostgreSQL itself loses it.
        case relaxed
    }

    private static let conflictAttempts = 3

    private let settings: Settings
    private let logger: Logger
    private let queue = WorkQueue()
    private let workers = Mutex<[Worker]>([])

    public init(settings: Settings, logger: Logger) { (self.settings, self.logger) = (settings, logger) }

    /// Connects, and returns when the first connection stands; says every few seconds what is missing.
    public func start() async {
        let workers = (0..<max(1, settings.connections)).map {
            Worker(number: $0, settings: settings, queue: queue, logger: logger)
        }
        self.workers.withLock {
            precondition($0.isEmpty, "a database is started once")
            $0 = workers
        }
        for worker in workers { worker.start() }
        await queue.availability.wait()
    }

    /// Lets queued work finish, then closes.
    public func stop() {
        queue.close()
        for worker in workers.withLock({ $0 }) { worker.stop() }
    }

    public var isReady: Bool { queue.availability.isHere }

    /// For /healthz.
    public var condition: String { queue.availability.reason ?? "connected" }

    /// In milliseconds, as PostgreSQL takes it.
    var statementTimeout: Int64 { settings.statementTimeout.nanoseconds / 1_000_000 }

    func logMigration(_ schema: String, _ migration: Migration) {
        logger.notice("applied migration \(migration.number) \(migration.name) to the schema \(schema)")
    }

    /// Runs the body on a connection; every statement is a transaction of its own.
    public func run<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.put { connection in
                switch connection {
                case .success(let connection): continuation.resume(with: Result { try body(connection) })
                case .failure(let error): continuation.resume(throwing: error)
                }
            }
        }
    }

    /// Runs the body on a connection, for who waits in no task: called once, with why there is none where that is so.
    public func perform(_ body: @escaping @Sendable (Result<Connection, DatabaseError>) -> Void) { queue.put(body) }

    /// Runs the body in one transaction: all of it or nothing. The body may run again after a deadlock, so it should do
    /// nothing but talk to the database.
    public func transaction<T: Sendable>(
        _ durability: Durability, _ body: @escaping @Sendable (Connection) throws -> T
    ) async throws -> T {
        try await run { connection in
            var attempt = 1
            while true {
                do { return try connection.transaction(durability) { try body(connection) } } catch let error as DatabaseError
                where error.isConflict && attempt < Self.conflictAttempts {
                    attempt += 1
                }
            }
        }
    }
}

extension Connection {
    func transaction<T>(_ durability: Database.Durability, _ body: () throws -> T) throws -> T {
        switch durability {
        case .durable: try execute("begin")
        case .relaxed: try execute("begin; set local synchronous_commit to off")
        }
        let value: T
        do { value = try body() } catch {
            // A connection that broke has nothing to roll back; its own error says more.
            try? execute("rollback")
            throw error
        }
        try execute("commit")
        return value
    }
}
