import Contracts
import Database

/// The limits in schema `calls`: the only place with their SQL.
struct LimitStore: Sendable {
    /// So many a customer may have.
    private static let most = 1_000

    let database: Database

    private static let columns = """
        id, customer_id, scope, target, concurrent_calls, calls_per_second, max_call_seconds,
        (extract(epoch from created_at) * 1000)::bigint as created_at, (extract(epoch from updated_at) * 1000)::bigint as updated_at
        """

    func create(_ command: CreateCallLimit) async throws -> CallLimit {
        let values = command.values
        let row = try await database.transaction(.durable) { connection in
            let held = try connection.query(
                "select count(*) as held from calls.limits where customer_id = $1", [.text(command.customerID)]
            ).first?.int("held")
            if let held, held >= Self.most { throw RPCError(.conflict, "the customer has as many limits as it may") }
            do {
                return try connection.query(
                    """
                    insert into calls.limits (id, customer_id, scope, target, concurrent_calls, calls_per_second, max_call_seconds)
                    values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do update set id = excluded.id
                    where limits.customer_id = excluded.customer_id returning \(Self.columns)
                    """,
                    [
                        .text(command.id), .text(command.customerID), .text(command.scope.rawValue), .text(command.target ?? ""),
                        Self.parameter(values.concurrentCalls), Self.parameter(values.callsPerSecond), Self.parameter(values.maxCallSeconds),
                    ]
                ).first
            } catch DatabaseError.uniqueViolation {
                throw RPCError(.conflict, "there is a limit for that already")
            }
        }
        guard let row else { throw RPCError(.conflict, "the id is taken") }
        return try Self.limit(row)
    }

    func find(_ id: String, customer: String) async throws -> CallLimit? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.columns) from calls.limits where customer_id = $1 and id = $2", [.text(customer), .text(id)]
            ).first.map(Self.limit)
        }
    }

    /// Newest first; the cursor is the id of the last one of the page before.
    func list(_ command: ListCallLimits) async throws -> Page<CallLimit> {
        let limit = command.page.limit
        let found = try await database.run { connection in
            try connection.query(
                """
                select \(Self.columns) from calls.limits where customer_id = $1 and ($2::text is null or id < $2)
                and ($3::text is null or scope = $3) and ($4::text is null or target = $4) order by id desc limit $5
                """,
                [
                    .text(command.customerID), .optional(command.page.cursor), .optional(command.scope?.rawValue), .optional(command.target),
                    .int(limit + 1),
                ]
            ).map(Self.limit)
        }
        let shown = Array(found.prefix(limit))
        return Page(data: shown, nextCursor: found.count > limit ? shown.last?.id : nil)
    }

    /// Nil when there is none.
    func change(_ command: UpdateCallLimit) async throws -> CallLimit? {
        let values = command.values
        return try await database.transaction(.durable) { connection in
            try connection.query(
                """
                update calls.limits set
                    concurrent_calls = case when $3 then $4::bigint else concurrent_calls end,
                    calls_per_second = case when $5 then $6::bigint else calls_per_second end,
                    max_call_seconds = case when $7 then $8::bigint else max_call_seconds end, updated_at = clock_timestamp()
                where customer_id = $1 and id = $2 returning \(Self.columns)
                """,
                [
                    .text(command.customerID), .text(command.id), .bool(values.concurrentCalls != nil), Self.parameter(values.concurrentCalls),
                    .bool(values.callsPerSecond != nil), Self.parameter(values.callsPerSecond), .bool(values.maxCallSeconds != nil),
                    Self.parameter(values.maxCallSeconds),
                ]
            ).first.map(Self.limit)
        }
    }

    func delete(_ id: String, customer: String) async throws -> Bool {
        try await database.transaction(.durable) { connection in
            try connection.change("delete from calls.limits where customer_id = $1 and id = $2", [.text(customer), .text(id)]) > 0
        }
    }

    /// All of them, of all customers: what instances keep in memory.
    func all() async throws -> [CallLimit] {
        try await database.run { connection in try connection.query("select \(Self.columns) from calls.limits").map(Self.limit) }
    }

    /// Another one after every change.
    func state() async throws -> String {
        try await database.run { connection in
            try connection.query("select count(*) || '/' || coalesce(max(updated_at)::text, '') as state from calls.limits").first?.text("state") ?? ""
        }
    }

    private static func parameter(_ change: CallLimitValues.Change?) -> Parameter { change?.value.map { .int($0) } ?? .null }

    private static func limit(_ row: Row) throws -> CallLimit {
        guard let scope = CallLimit.Scope(rawValue: try row.text("scope")) else {
            throw DatabaseError.unexpectedResult("a limit's scope is unknown")
        }
        let target = try row.text("target")
        return CallLimit(
            id: try row.text("id"), customerID: try row.text("customer_id"), scope: scope, target: target.isEmpty ? nil : target,
            concurrentCalls: try row.optionalInt("concurrent_calls").map(Int.init),
            callsPerSecond: try row.optionalInt("calls_per_second").map(Int.init),
            maxCallSeconds: try row.optionalInt("max_call_seconds").map(Int.init),
            createdAt: Timestamp(milliseconds: try row.int("created_at")), updatedAt: Timestamp(milliseconds: try row.int("updated_at")))
    }
}
