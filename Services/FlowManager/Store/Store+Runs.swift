import Contracts
import Database
import Flow

/// Runs. A step is one statement: it moves the cursor and tells of it, both or neither, and waits for no disk (DESIGN §5:
/// what only a crash of PostgreSQL itself could lose, the call's owner delivers again).
extension Store {
    private static let columns = """
        id, customer_id, flow_id, reference_id, status, step,
        (extract(epoch from created_at) * 1000)::bigint as created_at, (extract(epoch from ended_at) * 1000)::bigint as ended_at
        """

    /// Writes a new run with its first events; false when a run of that id exists.
    func insert(_ stored: StoredRun, _ events: [Event]) async throws -> Bool {
        let parameters: [Parameter] = [
            .text(stored.record.id), .text(stored.record.customerID), .optional(stored.record.flowID),
            .text(stored.record.referenceID), .text(stored.record.status), .int(stored.record.step), .int(stored.version),
            .int(stored.sequence), .optional(stored.cursor?.jsonText), .optional(stored.run?.lists.jsonText),
            stored.record.createdAt.parameter, stored.record.endedAt?.parameter ?? .null, try Self.json(events),
        ]
        return try await run { connection in
            try connection.query(
                """
                with relaxed as materialized (select set_config('synchronous_commit', 'off', true)),
                written as (
                    insert into flows.runs
                        (id, customer_id, flow_id, reference_id, status, step, version, sequence, cursor, lists, created_at, ended_at)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10::json, to_timestamp($11), to_timestamp($12))
                    on conflict (id) do nothing returning id),
                told as (
                    insert into flows.outbox (event)
                    select event::jsonb from unnest($13::text[]) with ordinality as list (event, number)
                    where exists (select from written) order by number)
                select count(relaxed) > 0 and exists (select from written) as written from relaxed
                """, parameters
            ).first?.bool("written") ?? false
        }
    }

    /// Writes what a step has led to; false when the row is no longer the one that `stored` was made from.
    func update(_ stored: StoredRun, withLists: Bool, _ events: [Event]) async throws -> Bool {
        let parameters: [Parameter] = [
            .text(stored.record.id), .text(stored.record.customerID), .int(stored.version), .text(stored.record.status),
            .int(stored.record.step), .int(stored.sequence), .optional(stored.cursor?.jsonText),
            withLists ? .optional(stored.run?.lists.jsonText) : .null, stored.record.endedAt?.parameter ?? .null,
            try Self.json(events),
        ]
        return try await run { connection in
            try connection.query(
                """
                with relaxed as materialized (select set_config('synchronous_commit', 'off', true)),
                written as (
                    update flows.runs set
                        version = $3, status = $4, step = $5, sequence = $6, cursor = $7::json,
                        lists = case when $7::text is not null then coalesce($8::json, lists) end, ended_at = to_timestamp($9)
                    where id = $1 and customer_id = $2 and version = $3 - 1
                    returning id),
                told as (
                    insert into flows.outbox (event)
                    select event::jsonb from unnest($10::text[]) with ordinality as list (event, number)
                    where exists (select from written) order by number)
                select count(relaxed) > 0 and exists (select from written) as written from relaxed
                """, parameters
            ).first?.bool("written") ?? false
        }
    }

    func storedRun(_ id: String, customerID: String) async throws -> StoredRun? {
        try await run { connection -> StoredRun? in
            let rows = try connection.query(
                "select \(Self.columns), version, sequence, cursor, lists from flows.runs where id = $1 and customer_id = $2",
                [.text(id), .text(customerID)])
            guard let row = rows.first else { return nil }
            let cursor: JSONValue? = try row.optionalText("cursor") == nil ? nil : try row.document("cursor")
            return StoredRun(
                record: try Self.record(row), run: try cursor.map { try Run(cursor: $0, lists: try row.document("lists")) },
                version: Int(try row.int("version")), sequence: try row.int("sequence"), asking: Asking(json: cursor?["asking"]))
        }
    }

    func record(_ id: String, customerID: String) async throws -> RunRecord? {
        try await run { connection in
            try connection.query(
                "select \(Self.columns) from flows.runs where id = $1 and customer_id = $2", [.text(id), .text(customerID)]
            ).first.map(Self.record)
        }
    }

    /// Newest first, one more than asked for when there are more.
    func records(
        customerID: String, after cursor: String?, limit: Int, flowID: String?, referenceID: String?
    ) async throws -> [RunRecord] {
        try await run { connection in
            try connection.query(
                """
                select \(Self.columns) from flows.runs
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or flow_id = $3)
                    and ($4::text is null or reference_id = $4)
                order by id desc limit $5
                """,
                [.text(customerID), .optional(cursor), .optional(flowID), .optional(referenceID), .int(limit + 1)]
            ).map(Self.record)
        }
    }

    private static func record(_ row: Row) throws(DatabaseError) -> RunRecord {
        RunRecord(
            id: try row.text("id"), customerID: try row.text("customer_id"), flowID: try row.optionalText("flow_id"),
            referenceID: try row.text("reference_id"), status: try row.text("status"), step: Int(try row.int("step")),
            createdAt: try row.timestamp("created_at"),
            endedAt: try row.optionalInt("ended_at").map { Timestamp(milliseconds: $0) })
    }
}
