public import Bus
public import Contracts
public import Database
internal import Deadlines
public import Flow
internal import FoundationEssentials
internal import JSONCoding
internal import Logging
internal import Synchronization
internal import Telemetry
internal import Threads

/// Events that are written with the change they tell of, in one transaction, and published afterwards (DESIGN §4).
///
/// One instance at a time publishes a schema's events, in the order they were written, under a lease in the table
/// `<schema>.outbox_publisher`; another takes over when it dies. A row goes when the broker has confirmed its event, so an event is
/// published at least once; its id lets consumers drop a repetition.
public final class Outbox: Sendable {
    private static let batch = 200
    private static let linger = Duration.milliseconds(60)
    /// After a batch that large, for which there was much to do, the next one is to be larger still: each costs as much as several events.
    private static let (large, longLinger) = (30, Duration.milliseconds(150))
    private static let lease = 5
    /// The lease is renewed when less than this is left of it, not at every wake-up.
    private static let renewal = Interval.seconds(3)
    private static let poll = Duration.seconds(1)

    private struct State {
        var isAwake = false
        var wake: CheckedContinuation<Void, Never>?
        var isPublisher = false
        var isStopping = false
        var hasStopped = false
        /// Until when the lease is certainly ours.
        var leaseEnd = Instant(nanoseconds: 0)
    }

    private let schema: String
    private let owner: String
    private let database: Database
    private let bus: Bus
    private let logger: Logger
    private let state = Mutex(State())

    /// Made while the service is wired; `run` belongs into `Runtime.background`, `wake` after every commit.
    public init(schema: String, runtime: Runtime) {
        (self.schema, owner, database) = (schema, runtime.incarnation, runtime.database)
        (bus, logger) = (runtime.bus, runtime.logger)
        bus.listen(to: ["outbox.\(schema)"]) { [weak self] _ in self?.wakeHere() }
    }

    /// The tables of an outbox; a migration of the schema that has one.
    public static func migration(number: Int) -> Migration {
        let sql = """
            create table outbox (id bigserial primary key, event jsonb not null);
            create table outbox_sequences (resource_id text primary key, sequence bigint not null);
            create table outbox_publisher (
                single boolean primary key default true check (single), owner text not null, until timestamptz not null);
            insert into outbox_publisher (owner, until) values ('', now());
            """
        return Migration(number: number, name: "outbox", sql: Array(sql.utf8))
    }

    // MARK: Inside the transaction of a change

    /// Adds an event whose sequence its owner counts itself, as a call does.
    public static func add(_ event: Event, schema: String, on connection: Connection) throws {
        let json = String(decoding: try JSONText.encode(event), as: UTF8.self)
        try connection.change("insert into \(schema).outbox (event) values ($1::jsonb)", [.text(json)])
    }

    /// For the statement of one that does more.
    public static func texts(_ events: [Event]) throws -> Parameter { texts(try events.map { try WrittenEvent($0) }) }
    public static func texts(_ events: [WrittenEvent]) -> Parameter { .texts(events.map { String(decoding: $0.text, as: UTF8.self) }) }

    /// Adds the next event of a resource.
    public static func add(
        _ type: String, of resourceID: String, customer: String, data: JSONValue, runtime: Runtime, schema: String, on connection: Connection
    ) throws {
        let rows = try connection.query(
            """
            insert into \(schema).outbox_sequences as s (resource_id, sequence) values ($1, 1)
            on conflict (resource_id) do update set sequence = s.sequence + 1 returning sequence
            """, [.text(resourceID)])
        guard let sequence = try rows.first?.int("sequence") else { throw DatabaseError.unexpectedResult("no sequence came back") }
        let event = Event(
            id: runtime.newID("evt"), type: type, timestamp: runtime.timestamp(), customerID: customer, resourceID: resourceID,
            sequence: sequence, data: data)
        try add(event, schema: schema, on: connection)
    }

    // MARK: Publishing

    /// A change was committed: whoever publishes does so now.
    public func wake() {
        if state.withLock({ $0.isPublisher }) { return wakeHere() }
        bus.signal(Event(
            id: owner, type: "outbox.\(schema)", timestamp: Timestamp(milliseconds: WallClock.milliseconds()), customerID: "",
            resourceID: schema, sequence: 0, data: .null))
        wakeHere()
    }

    /// Publishes until cancelled, or until `flush`.
    public func run() async {
        while !Task.isCancelled {
            let isStopping = state.withLock { $0.isStopping }
            var published = 0
            do {
                repeat { published = try await publishSome() } while published == Self.batch
                if isStopping { break }
            } catch {
                if isStopping {
                    logger.warning("events of \(schema) stay for the next instance: \(error)")
                    break
                }
                logger.debug("events of \(schema) wait: \(error)")
                try? await Task.sleep(for: .milliseconds(200))
                continue
            }
            await waitForWork()
            // Events come in bursts, and whoever made them is still busy.
            if !isStopping { try? await Task.sleep(for: published < Self.large ? Self.linger : Self.longLinger) }
        }
        await giveUpLease()
        state.withLock { $0.hasStopped = true }
    }

    /// Lets `run` publish what is there and end; before a stop. Waits for it as long as the caller may.
    public func flush() async {
        state.withLock { $0.isStopping = true }
        wakeHere()
        while !state.withLock({ $0.hasStopped }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(10)) }
    }

    private func giveUpLease() async {
        state.withLock { $0.leaseEnd = Instant(nanoseconds: 0) }
        // Without this the next publisher waits until the lease ends by itself.
        _ = try? await database.run { [schema, owner] connection in
            try connection.change("update \(schema).outbox_publisher set until = now() where owner = $1", [.text(owner)])
        }
    }

    /// At most a batch; how many events: none when nothing is left or another instance publishes.
    private func publishSome() async throws -> Int {
        guard try await holdLease() else { return 0 }
        let rows = try await database.run { [schema] connection in
            try connection.query("select id, event from \(schema).outbox order by id limit \(Self.batch)")
        }
        guard !rows.isEmpty else { return 0 }
        let ids = try rows.map { try $0.text("id") }
        let events = try rows.map { try WrittenEvent(text: Array(try $0.text("event").utf8)) }
        try await bus.publish(events)
        _ = try await database.run { [schema] connection in
            try connection.query(
                """
                with relaxed as materialized (select set_config('synchronous_commit', 'off', true)),
                gone as (delete from \(schema).outbox where id = any($1::bigint[]))
                select count(*) from relaxed
                """, [.texts(ids)])
        }
        return rows.count
    }

    /// Whether this instance publishes. Losing the lease to a crash of PostgreSQL costs a repetition, so no disk is waited for.
    private func holdLease() async throws -> Bool {
        let now = MonotonicClock.now()
        if state.withLock({ $0.leaseEnd - now > Self.renewal }) { return true }
        let isHeld = try await database.transaction(.relaxed) { [schema, owner] connection in
            try connection.change(
                """
                update \(schema).outbox_publisher set owner = $1, until = now() + interval '\(Self.lease) seconds'
                where owner = $1 or until < now()
                """, [.text(owner)]) == 1
        }
        state.withLock { state in
            state.isPublisher = isHeld
            state.leaseEnd = isHeld ? now + .seconds(Self.lease) : Instant(nanoseconds: 0)
        }
        return isHeld
    }

    private func wakeHere() {
        let continuation = state.withLock { state in
            let continuation = state.wake
            state.wake = nil
            state.isAwake = continuation == nil
            return continuation
        }
        continuation?.resume()
    }

    /// Until woken, or for a second: a signal may be lost, and a dead publisher's lease ends silently.
    private func waitForWork() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: Self.poll) }
            group.addTask { await self.awaitWake() }
            await group.next()
            wakeHere()
            group.cancelAll()
        }
        state.withLock { $0.isAwake = false }
    }

    private func awaitWake() async {
        await withCheckedContinuation { continuation in
            let isAwake = state.withLock { state in
                if state.isAwake {
                    state.isAwake = false
                    return true
                }
                state.wake = continuation
                return false
            }
            if isAwake { continuation.resume() }
        }
    }
}
