import Database
import Deadlines
import Foundation
import Testing

@Suite("The database", .serialized, .timeLimit(.minutes(1)))
struct DatabaseTests {
    private func database(_ connection: String? = nil, connections: Int = 2) async throws -> Database {
        let database = Database(
            settings: .init(connection: try connection ?? Servers.database(), connections: connections), logger: Servers.silent)
        await database.start()
        return database
    }

    @Test("values come back as they were given", .timeLimit(.minutes(1)))
    func values() async throws {
        let database = try await database()
        let row = try await database.run { connection in
            try connection.query(
                """
                select $1::text as text, $2::bigint as int, $3::boolean as bool, $4::bytea as bytes, $5::text as missing,
                    $6::double precision as double, 'b' = any($7::text[]) as found
                """,
                ["o'clock; ünïcode", .int(.min), true, .bytes([0, 255, 10]), .null, .double(0.25), .texts(["a\"\\", "b"])])[0]
        }
        #expect(try row.text("text") == "o'clock; ünïcode")
        #expect(try row.int("int") == .min)
        #expect(try row.bool("bool"))
        #expect(try row.bytes("bytes") == [0, 255, 10])
        #expect(try row.optionalText("missing") == nil)
        #expect(try row.double("double") == 0.25)
        #expect(try row.bool("found"))
        #expect(throws: DatabaseError.self) { try row.text("missing") }
        #expect(throws: DatabaseError.self) { try row.text("elsewhere") }
        #expect(throws: DatabaseError.self) { try row.int("text") }
        database.stop()
    }

    @Test("migrations are applied once, in order, also when instances start together")
    func migrations() async throws {
        let schema = Servers.unique("test_").filter { $0.isLetter || $0 == "_" }
        let migrations = [
            Migration(number: 2, name: "unique", sql: Array("alter table things add unique (name);".utf8)),
            Migration(number: 1, name: "things", sql: Array("create table things (name text); insert into things values ('a');".utf8)),
        ]
        let databases = [try await database(), try await database()]
        async let first: Void = databases[0].migrate(schema: schema, migrations)
        async let second: Void = databases[1].migrate(schema: schema, migrations)
        _ = try await (first, second)
        try await databases[0].migrate(schema: schema, migrations)
        let count = try await databases[0].run { try $0.query("select count(*) as n from \(schema).things")[0].int("n") }
        #expect(count == 1)
        await #expect(throws: DatabaseError.uniqueViolation(constraint: "things_name_key")) {
            try await databases[0].run { _ = try $0.change("insert into \(schema).things values ($1)", ["a"]) }
        }
        try await databases[0].run { try $0.execute("drop schema \(schema) cascade") }
        for database in databases { database.stop() }
    }

    @Test("PostgreSQL lives one life for all who ask, and another when it has lost what a crash loses; what asks for the one before finds nothing")
    func lives() async throws {
        let schema = Servers.unique("test_").filter { $0.isLetter || $0 == "_" }
        let databases = [try await database(), try await database()]
        try await databases[0].migrate(schema: schema, [Lives.migration(number: 1)])
        async let first = Lives(databases[0], schema: schema).current()
        async let second = Lives(databases[1], schema: schema).current()
        let (mine, others) = try await (first, second)
        #expect(mine == others)
        let kind = try await databases[0].run {
            try $0.query("select relpersistence::text as kind from pg_class where oid = '\(schema).lives'::regclass")[0].text("kind")
        }
        #expect(kind == "u", "unlogged: a crash empties it")
        _ = try await databases[0].run { try $0.change("delete from \(schema).lives") }
        #expect(try await Lives(databases[1], schema: schema).current() != mine)
        let found = try await databases[0].run { try $0.query("select id from \(schema).lives where id = $1", [.text(mine)]).count }
        #expect(found == 0)
        try await databases[0].run { try $0.execute("drop schema \(schema) cascade") }
        for database in databases { database.stop() }
    }

    @Test("a transaction is all or nothing, at either durability", arguments: [Database.Durability.durable, .relaxed])
    func transactions(_ durability: Database.Durability) async throws {
        struct Stop: Error {}
        let database = try await database(connections: 1)
        try await database.run { try $0.execute("create temporary table kept (n int)") }
        await #expect(throws: Stop.self) {
            try await database.transaction(durability) { connection in
                try connection.change("insert into kept values (1)")
                throw Stop()
            }
        }
        let setting = try await database.transaction(durability) { connection in
            try connection.change("insert into kept values (2)")
            return try connection.query("select current_setting('synchronous_commit') as value")[0].text("value")
        }
        #expect(setting == (durability == .relaxed ? "off" : "on"))
        let rows = try await database.run { try $0.query("select n from kept").map { try $0.int("n") } }
        #expect(rows == [2])
        database.stop()
    }

    @Test("a deadlock is tried again")
    func deadlock() async throws {
        // PostgreSQL looks for deadlocks after a second of waiting; the statement must be allowed to wait that long.
        let database = Database(
            settings: .init(connection: try Servers.database(), connections: 2, statementTimeout: .seconds(10)), logger: Servers.silent)
        await database.start()
        let table = Servers.unique("public.deadlock_")
        try await database.run { connection in
            try connection.execute("create table \(table) (id int primary key, n int)")
            try connection.execute("insert into \(table) values (1, 0), (2, 0)")
        }
        async let forward: Void = database.transaction(.relaxed) { connection in
            try connection.change("update \(table) set n = n + 1 where id = 1")
            try connection.query("select pg_sleep(0.1)")
            try connection.change("update \(table) set n = n + 1 where id = 2")
        }
        async let backward: Void = database.transaction(.relaxed) { connection in
            try connection.change("update \(table) set n = n + 1 where id = 2")
            try connection.query("select pg_sleep(0.1)")
            try connection.change("update \(table) set n = n + 1 where id = 1")
        }
        _ = try await (forward, backward)
        let sum = try await database.run { try $0.query("select sum(n) as n from \(table)")[0].int("n") }
        #expect(sum == 4)
        try await database.run { try $0.execute("drop table \(table)") }
        database.stop()
    }

    @Test("a statement that takes too long is ended, and the connection stays")
    func statementTimeout() async throws {
        let database = Database(
            settings: .init(connection: try Servers.database(), connections: 1, statementTimeout: .milliseconds(100)),
            logger: Servers.silent)
        await database.start()
        await #expect(throws: DatabaseError.self) { try await database.run { _ = try $0.query("select pg_sleep(2)") } }
        #expect(try await database.run { try $0.query("select 1 as n")[0].int("n") } == 1)
        database.stop()
    }

    @Test("a server that stands still is one that is away, whatever it is asked, and what it had is given back when it goes on", arguments: [false, true])
    func standstill(inTransaction: Bool) async throws {
        let database = Database(
            settings: .init(connection: try Servers.database(), connections: 1, statementTimeout: .milliseconds(300)), logger: Servers.silent)
        await database.start()
        let backend = try await database.run { try $0.query("select pg_backend_pid() as pid")[0].int("pid") }
        defer { kill(pid_t(backend), SIGCONT) }
        let isStopped = inTransaction
            ? await fails { try await database.transaction(.relaxed) { try Self.ask($0, stopping: backend) } }
            : await fails { try await database.run { try Self.ask($0, stopping: backend) } }
        #expect(isStopped)
        kill(pid_t(backend), SIGCONT)
        // By another connection, once there is one.
        var next = backend
        while next == backend {
            do { next = try await database.run { try $0.query("select pg_backend_pid() as pid")[0].int("pid") } } catch DatabaseError.unavailable {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        database.stop()
    }

    private static func ask(_ connection: Connection, stopping backend: Int64) throws {
        kill(pid_t(backend), SIGSTOP)
        try connection.query("select 1")
    }

    /// With `unavailable`.
    private func fails(_ body: () async throws -> Void) async -> Bool {
        do { try await body() } catch DatabaseError.unavailable { return true } catch { return false }
        return false
    }

    @Test("a lost server fails work at once and comes back by itself; a broken statement text is an error, not a loss")
    func loss() async throws {
        let database = try await database(connections: 2)
        await #expect(throws: DatabaseError.self) { try await database.run { _ = try $0.query("selec 1") } }
        #expect(database.isReady)
        let mine = try await database.run { try $0.query("select pg_backend_pid() as pid")[0].int("pid") }
        let other = Database(settings: .init(connection: try Servers.database(), connections: 1), logger: Servers.silent)
        await other.start()
        _ = try await other.run { try $0.query("select pg_terminate_backend($1::bigint::int)", [.int(mine)]) }
        // Whichever connection takes it: the dead one is noticed while idle.
        try await Task.sleep(for: .milliseconds(300))
        for _ in 0..<8 {
            #expect(try await database.run { try $0.query("select 1 as n")[0].int("n") } == 1)
        }
        other.stop()
        database.stop()
        await #expect(throws: DatabaseError.self) { try await database.run { _ in } }
    }
}
