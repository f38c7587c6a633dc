import Bus
import Contracts
import Database
import Flow

/// The log of events.
extension AccountStore {
    /// Stores events in this order; one that is stored already is left as it is.
    func append(_ events: [WrittenEvent]) async throws {
        let batch = "[" + events.map { String(decoding: $0.text, as: UTF8.self) }.joined(separator: ",") + "]"
        // The broker forgets what has been stored here, and so do the outboxes: it is on disk before. That is waited for once a batch, and by no call.
        // Cursors are given out under a lock that is taken before the first and held until the commit, so no reader sees a higher one first.
        _ = try await database.run { connection in
            try connection.change(
                """
                with ready as materialized (select pg_advisory_xact_lock(hashtext('accounts.events')))
                insert into accounts.events (id, customer_id, type, resource_id, sequence, happened_at, data)
                select e->>'id', e->>'customer_id', e->>'type', e->>'resource_id', (e->>'sequence')::bigint,
                (e->>'timestamp')::timestamptz, e->'data'
                from jsonb_array_elements($1::jsonb) with ordinality as batch(e, place)
                where (select count(*) from ready) = 1 order by place
                on conflict (id) do nothing
                """, [.text(batch)])
        }
    }

    /// The number of the newest event; 0 when there is none.
    func lastEvent() async throws -> Int64 {
        try await database.run { connection in
            try connection.query("select coalesce(max(cursor), 0) as cursor from accounts.events").first?.int("cursor") ?? 0
        }
    }

    /// Oldest first, behind a cursor.
    func events(_ filter: EventFilter, after cursor: Int64, limit: Int) async throws -> [LoggedEvent] {
        try await events(filter, place: "cursor > $1", cursor, order: "cursor", limit: limit)
    }

    /// Newest first, in front of a cursor if there is one.
    func events(_ filter: EventFilter, before cursor: Int64?, limit: Int) async throws -> [LoggedEvent] {
        try await events(filter, place: "cursor < $1", cursor ?? .max, order: "cursor desc", limit: limit)
    }

    /// Only the conditions that are needed stand in the statement, so that each of its few forms finds its index.
    private func events(
        _ filter: EventFilter, place: String, _ cursor: Int64, order: String, limit: Int
    ) async throws -> [LoggedEvent] {
        var conditions = [place]
        var parameters: [Parameter] = [.int(cursor), .int(limit)]
        func require(_ condition: (String) -> String, _ parameter: Parameter) {
            parameters.append(parameter)
            conditions.append(condition("$\(parameters.count)"))
        }
        if let customerID = filter.customerID { require({ "customer_id = \($0)" }, .text(customerID)) }
        if let resourceID = filter.resourceID { require({ "resource_id = \($0)" }, .text(resourceID)) }
        if let patterns = filter.pattern.likePatterns { require({ "type like any(\($0)::text[])" }, .texts(patterns)) }
        let statement = """
            select \(Self.eventColumns) from accounts.events where \(conditions.joined(separator: " and ")) order by \(order) limit $2
            """
        let bound = parameters
        return try await database.run { connection in try connection.query(statement, bound).map(Self.loggedEvent) }
    }

    func event(_ id: String, of customerID: String?) async throws -> LoggedEvent? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.eventColumns) from accounts.events where id = $1 and ($2::text is null or customer_id = $2)",
                [.text(id), .optional(customerID)]
            ).first.map(Self.loggedEvent)
        }
    }

    private static let eventColumns =
        "cursor, id, type, customer_id, resource_id, sequence, \(milliseconds("happened_at")), data::text as data"

    private static func loggedEvent(_ row: Row) throws -> LoggedEvent {
        LoggedEvent(
            cursor: try row.int("cursor"),
            event: Event(
                id: try row.text("id"), type: try row.text("type"),
                timestamp: Timestamp(milliseconds: try row.int("happened_at")), customerID: try row.text("customer_id"),
                resourceID: try row.text("resource_id"), sequence: try row.int("sequence"),
                data: try JSONValue(json: try row.text("data"), limits: JSONLimits(bytes: .max, depth: 128))))
    }

    /// A part at a time, so that no statement runs long; the next round does the rest.
    func sweepEvents(olderThanDays days: Int) async throws {
        _ = try await database.transaction(.relaxed) { connection in
            try connection.change(
                """
                delete from accounts.events where cursor in (select cursor from accounts.events
                where stored_at < now() - make_interval(days => $1) order by stored_at limit 5000)
                """, [.int(days)])
        }
    }
}
