import Database

/// Who is through with writing again what a crash of PostgreSQL had taken back.
extension Store {
    /// All that this one knew of is in the database again. Waits for no disk: nothing but another crash undoes it, and then it is untrue.
    func isThrough(_ instance: String, _ incarnation: String, in life: String) async throws {
        try await run { connection in
            _ = try connection.query(
                """
                with relaxed as materialized (select set_config('synchronous_commit', 'off', true)),
                written as (
                    insert into flows.recollected (instance, incarnation, life) values ($1, $2, $3)
                    on conflict (instance) do update set incarnation = excluded.incarnation, life = excluded.life returning instance)
                select count(relaxed) > 0 and exists (select from written) as written from relaxed
                """, [.text(instance), .text(incarnation), .text(life)])
        }
    }

    /// The incarnations that are.
    func through(in life: String) async throws -> Set<String> {
        try await run { connection in
            Set(try connection.query("select incarnation from flows.recollected where life = $1", [.text(life)]).map { try $0.text("incarnation") })
        }
    }
}
