import Contracts
import Database
import Flow

/// The log of events.
extension AccountStore {
    /// Stores events in this order; one that is stored already is left as it is.
    func append(_ events: [Event]) async throws {
        let batch = JSONValue.array(events.map { event in
            [
                "id": .string(event.id), "customer_id": .string(event.customerID), "type": .string(event.type),
                "resource_id": .string(event.resourceID), "sequence": .integer(event.sequence),
                "timestamp": .integer(event.timestamp.milliseconds), "data": event.data,
            ]
        }).jsonText
        // Progress of calls: nothing our processes do can lose it (DESIGN §5).
        _ = try await database.transaction(.relaxed) { connection in
            // Cursors are given out under this lock and it is held until the commit, so no reader sees a higher one first.
            try connection.query("select pg_advisory_xact_lock(hashtext('accounts.events'))")
            return try connection.change(
                """
                insert into accounts.events (id, customer_id, type, resource_id, sequence, happened_at, data)
                select e->>'id', e->>'customer_id', e->>'type', e->>'resource_id', (e->>'sequence')::bigint,
                to_timestamp((e->>'timestamp')::bigint / 1000.0), e->'data'
                from jsonb_array_elements($1::jsonb) with ordinality as batch(e, place) order by place
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
            select cursor, id, type, customer_id, resource_id, sequence, \(Self.milliseconds("happened_at")), data::text as data
            from accounts.events where \(conditions.joined(separator: " and ")) order by \(order) limit $2
            """
        let bound = parameters
        return try await database.run { connection in try connection.query(statement, bound).map(Self.loggedEvent) }
    }

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
