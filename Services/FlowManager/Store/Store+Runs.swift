import Contracts
import Database
import Flow
import ServiceKit

/// Runs. A step is one statement: it moves the cursor and tells of it, both or neither, and waits for no disk where the call's owner can tell
/// again what only a crash of PostgreSQL itself could lose (DESIGN §5).
extension Store {
    static let runColumns = """
        id, customer_id, flow_id, reference_id, status, step,
        (extract(epoch from created_at) * 1000)::bigint as created_at, (extract(epoch from ended_at) * 1000)::bigint as ended_at
        """
    static let storedColumns = "\(runColumns), version, sequence, cursor, lists, case when alone then chain end as chain"

    /// Writes a new run with its first events, unless a run of that id exists; and the life in which PostgreSQL took it.
    func insert(
        _ stored: StoredRun, _ events: [Event], _ sent: NewWebhooks = NewWebhooks(), durably: Bool = false
    ) async throws -> (isNew: Bool, life: String?) {
        let parameters: [Parameter] = [
            .text(stored.record.id), .text(stored.record.customerID), .optional(stored.record.flowID),
            .text(stored.record.referenceID), .text(stored.record.status), .int(stored.record.step), .int(stored.version),
            .int(stored.sequence), .optional(stored.cursor?.jsonText), .optional(stored.run?.lists.jsonText),
            stored.record.createdAt.parameter, stored.record.endedAt?.parameter ?? .null, try Outbox.texts(events), .bool(stored.chain != nil),
            .int(stored.chain ?? 0),
        ] + (sent.list.isEmpty ? [] : sent.parameters)
        return try await run { connection in
            let row = try connection.query(
                """
                with relaxed as materialized (select set_config('synchronous_commit', '\(durably ? "on" : "off")', true)),
                written as (
                    insert into flows.runs
                        (id, customer_id, flow_id, reference_id, status, step, version, sequence, cursor, lists, created_at, ended_at, alone, chain)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10::json, to_timestamp($11), to_timestamp($12), $14, $15)
                    on conflict (id) do nothing returning id),
                told as (
                    insert into flows.outbox (event)
                    select event::jsonb from unnest($13::text[]) with ordinality as list (event, number)
                    where exists (select from written) order by number)\(sent.statement(run: "$1", customer: "$2", reference: "$4", first: 16))
                select count(relaxed) > 0 and exists (select from written) as written, (select id from flows.lives) as life from relaxed
                """, parameters
            ).first
            return (try row?.bool("written") ?? false, try row?.optionalText("life"))
        }
    }

    /// What a step has led to.
    struct Change: Sendable {
        let stored: StoredRun
        /// The version that it was made from.
        let over: Int
        let withLists: Bool
        let events: [Event]
        let sent: NewWebhooks
        /// On disk before anybody hears of it.
        var isDurable = false
    }

    /// Writes it; false when the row is no longer of the version that the change was made from, or PostgreSQL has died since that was read.
    func update(_ change: Change) async throws -> Bool { try await run { connection in try Self.update(change, on: connection) } }

    static func update(_ change: Change, on connection: Connection) throws -> Bool {
        let (stored, sent) = (change.stored, change.sent)
        let parameters: [Parameter] = [
            .text(stored.record.id), .text(stored.record.customerID), .int(stored.version), .text(stored.record.status),
            .int(stored.record.step), .int(stored.sequence), .optional(stored.cursor?.jsonText),
            change.withLists ? .optional(stored.run?.lists.jsonText) : .null, stored.record.endedAt?.parameter ?? .null,
            try Outbox.texts(change.events), .int(change.over), .optional(stored.life),
        ] + (sent.list.isEmpty ? [] : sent.parameters + [.text(stored.record.referenceID)])
        return try connection.query(
            """
            with relaxed as materialized (select set_config('synchronous_commit', '\(change.isDurable ? "on" : "off")', true)),
            written as (
                update flows.runs set
                    version = $3, status = $4, step = $5, sequence = $6, cursor = $7::json,
                    lists = case when $7::text is not null then coalesce($8::json, lists) end, ended_at = to_timestamp($9)
                where id = $1 and customer_id = $2 and version = $11 and exists (select from flows.lives where lives.id = $12)
                returning id),
            told as (
                insert into flows.outbox (event)
                select event::jsonb from unnest($10::text[]) with ordinality as list (event, number)
                where exists (select from written) order by number)\(sent.statement(run: "$1", customer: "$2", reference: "$17", first: 13))
            select count(relaxed) > 0 and exists (select from written) as written from relaxed
            """, parameters
        ).first?.bool("written") ?? false
    }

    /// The run, and the life that PostgreSQL lives; nil when nobody has begun it yet.
    func storedRun(_ id: String, customerID: String) async throws -> (run: StoredRun?, life: String?) {
        try await run { connection in
            let row = try connection.query(
                """
                select (select id from flows.lives) as life, run.* from (select 1) as one left join (
                    select \(Self.storedColumns) from flows.runs where id = $1 and customer_id = $2
                ) as run on true
                """, [.text(id), .text(customerID)]
            ).first
            guard let row, try row.optionalText("id") != nil else { return (nil, try row?.optionalText("life")) }
            let life = try row.optionalText("life")
            return (try Self.stored(row, life: life), life)
        }
    }

    static func stored(_ row: Row, life: String?) throws -> StoredRun {
        // Not by `? nil :`, whose nil would be JSON's.
        let cursor = try row.optionalText("cursor").map { _ in try row.document("cursor") }
        return StoredRun(
            record: try record(row), run: try cursor.map { try Run(cursor: $0, lists: try row.document("lists")) },
            version: Int(try row.int("version")), sequence: try row.int("sequence"), asking: Asking.all(json: cursor?["asking"]),
            chain: try row.optionalInt("chain").map { Int($0) }, life: life)
    }

    func record(_ id: String, customerID: String) async throws -> RunRecord? {
        try await run { connection in
            try connection.query(
                "select \(Self.runColumns) from flows.runs where id = $1 and customer_id = $2", [.text(id), .text(customerID)]
            ).first.map(Self.record)
        }
    }

    /// Newest first, one more than asked for when there are more.
    func records(
        customerID: String, after cursor: String?, limit: Int, flowID: String?, referenceID: String?, status: String?
    ) async throws -> [RunRecord] {
        try await run { connection in
            try connection.query(
                """
                select \(Self.runColumns) from flows.runs
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or flow_id = $3)
                    and ($4::text is null or reference_id = $4) and ($5::text is null or status = $5)
                order by id desc limit $6
                """,
                [.text(customerID), .optional(cursor), .optional(flowID), .optional(referenceID), .optional(status), .int(limit + 1)]
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
