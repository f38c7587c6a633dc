/// Tells a crash of PostgreSQL from an orderly stop: what it keeps in an unlogged table is gone after the one and there after the other.
///
/// After a crash, commits that waited for no disk may be gone, those of the last three times `wal_writer_delay` (0.6 s): whoever made them
/// writes them again when it finds PostgreSQL in another life. A statement that must not build on what is gone asks for its life, too:
/// `exists (select from <schema>.lives where id = $1)`.
public struct Lives: Sendable {
    private let database: Database
    private let schema: String

    public init(_ database: Database, schema: String) { (self.database, self.schema) = (database, schema) }

    /// The table; a migration of the schema that has one.
    public static func migration(number: Int) -> Migration {
        let sql = """
            create unlogged table lives (
                single boolean primary key default true check (single), id text not null default gen_random_uuid()::text);
            """
        return Migration(number: number, name: "lives", sql: Array(sql.utf8))
    }

    /// The life that PostgreSQL lives; it begins with whoever asks first.
    public func current() async throws -> String {
        try await database.run { [schema] connection in
            if let life = try connection.query("select id from \(schema).lives").first { return try life.text("id") }
            _ = try connection.query("insert into \(schema).lives default values on conflict do nothing")
            guard let life = try connection.query("select id from \(schema).lives").first else {
                throw DatabaseError.unexpectedResult("a life that has begun is not there")
            }
            return try life.text("id")
        }
    }
}
