/// One numbered step in the history of a schema: plain SQL, applied once, never edited afterwards.
public struct Migration: Sendable {
    public let number: Int
    public let name: String
    public let sql: String

    public init(number: Int, name: String, sql: [UInt8]) {
        (self.number, self.name, self.sql) = (number, name, String(decoding: sql, as: UTF8.self))
    }
}

extension Database {
    /// Brings the schema up to date: applies, in order and each in a transaction, what `<schema>.migrations` does not list.
    /// Instances that start together take turns under an advisory lock. Statements run with `search_path` at the schema.
    public func migrate(schema: String, _ migrations: [Migration]) async throws {
        precondition(
            schema.utf8.allSatisfy { ($0 | 32) &- 97 < 26 || $0 == UInt8(ascii: "_") }, "a schema is named in plain letters")
        let migrations = migrations.sorted { $0.number < $1.number }
        precondition(Set(migrations.map(\.number)).count == migrations.count, "two migrations have one number")
        try await run { connection in
            try connection.execute("set statement_timeout to 0")
            connection.isUnlimited = true
            defer {
                connection.isUnlimited = false
                try? connection.execute("reset search_path; set statement_timeout to \(self.statementTimeout)")
            }
            try connection.query("select pg_advisory_lock(hashtext($1))", [.text("tandem.migrations." + schema)])
            defer { _ = try? connection.query("select pg_advisory_unlock(hashtext($1))", [.text("tandem.migrations." + schema)]) }
            try connection.execute(
                """
                create schema if not exists \(schema);
                create table if not exists \(schema).migrations (
                    number integer primary key, name text not null, applied_at timestamptz not null default now())
                """)
            let applied = Set(try connection.query("select number from \(schema).migrations").map { try $0.int("number") })
            for migration in migrations where !applied.contains(Int64(migration.number)) {
                try connection.transaction(.durable) {
                    try connection.execute("set local search_path to \(schema)")
                    try connection.execute(migration.sql)
                    try connection.change(
                        "insert into \(schema).migrations (number, name) values ($1, $2)",
                        [.int(migration.number), .text(migration.name)])
                }
                self.logMigration(schema, migration)
            }
        }
    }
}
