import Contracts
import Database
import Flow
import ServiceKit

/// Flows. What is configured is on disk before it is acknowledged, together with the event that tells of it.
extension Store {
    private static let columns = """
        id, customer_id, name, actions, on_complete_flow_id, version,
        (extract(epoch from created_at) * 1000)::bigint as created_at,
        (extract(epoch from updated_at) * 1000)::bigint as updated_at
        """

    /// Creates the flow; or gives the one that the same delivery created before.
    func create(_ flow: FlowDefinition, idempotencyKey: String, event: Event) async throws -> FlowDefinition {
        let actions = JSONValue.array(flow.actions.map(\.json)).jsonText
        return try await durably { connection in
            let created = try connection.query(
                """
                insert into flows.flows
                    (id, customer_id, name, actions, on_complete_flow_id, version, idempotency_key, created_at, updated_at)
                values ($1, $2, $3, $4::json, $5, 1, $6, to_timestamp($7), to_timestamp($7))
                on conflict (customer_id, idempotency_key) do nothing
                returning id
                """,
                [
                    .text(flow.id), .text(flow.customerID), .text(flow.name), .text(actions), .optional(flow.onCompleteFlowID),
                    .text(idempotencyKey), flow.createdAt.parameter,
                ])
            if created.isEmpty {
                let rows = try connection.query(
                    "select \(Self.columns) from flows.flows where customer_id = $1 and idempotency_key = $2",
                    [.text(flow.customerID), .text(idempotencyKey)])
                guard let row = rows.first else { throw RPCError(.conflict, "the flow was deleted meanwhile") }
                return try Self.flow(row)
            }
            try Outbox.add(event, schema: Self.schema, on: connection)
            return flow
        }
    }

    func flow(_ id: String, customerID: String) async throws -> FlowDefinition? {
        try await run { connection in
            try connection.query(
                "select \(Self.columns) from flows.flows where id = $1 and customer_id = $2", [.text(id), .text(customerID)]
            ).first.map(Self.flow)
        }
    }

    /// What a look at a flow for running it found.
    enum Look: Sendable {
        case unchanged
        case changed(FlowDefinition)
        case missing
    }

    /// Whether the flow still has `version`; else what it is now. Actions travel only when they have changed.
    func look(_ id: String, customerID: String, version: Int?) async throws -> Look {
        guard let version else {
            return try await flow(id, customerID: customerID).map(Look.changed) ?? .missing
        }
        let known = try await run { connection in
            try connection.query(
                "select version from flows.flows where id = $1 and customer_id = $2", [.text(id), .text(customerID)]
            ).first.map { try $0.int("version") }
        }
        switch known {
        case nil: return .missing
        case Int64(version): return .unchanged
        default: return try await flow(id, customerID: customerID).map(Look.changed) ?? .missing
        }
    }

    /// Newest first, one more than asked for when there are more.
    func flows(customerID: String, after cursor: String?, limit: Int, name: String?) async throws -> [FlowDefinition] {
        try await run { connection in
            try connection.query(
                """
                select \(Self.columns) from flows.flows
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or name = $3)
                order by id desc limit $4
                """,
                [.text(customerID), .optional(cursor), .optional(name), .int(limit + 1)]
            ).map(Self.flow)
        }
    }

    /// Changes what is given; nil when there is no such flow. `event` makes the event out of the flow as it is now.
    func change(
        _ id: String, customerID: String, name: String?, actions: [Action]?, onCompleteFlowID: String?, at time: Timestamp,
        event: @escaping @Sendable (FlowDefinition) throws -> Event
    ) async throws -> FlowDefinition? {
        let actions = actions.map { JSONValue.array($0.map(\.json)).jsonText }
        return try await durably { connection in
            let rows = try connection.query(
                """
                update flows.flows set
                    name = coalesce($3, name), actions = coalesce($4::json, actions),
                    on_complete_flow_id = case when $5::text is null then on_complete_flow_id else nullif($5, '') end,
                    version = version + 1, updated_at = to_timestamp($6)
                where id = $1 and customer_id = $2
                returning \(Self.columns)
                """,
                [
                    .text(id), .text(customerID), .optional(name), .optional(actions), .optional(onCompleteFlowID), time.parameter,
                ])
            guard let flow = try rows.first.map(Self.flow) else { return nil }
            try Outbox.add(try event(flow), schema: Self.schema, on: connection)
            return flow
        }
    }

    /// False when there is no such flow.
    func deleteFlow(
        _ id: String, customerID: String, event: @escaping @Sendable (FlowDefinition) throws -> Event
    ) async throws -> Bool {
        try await durably { connection in
            let rows = try connection.query(
                "delete from flows.flows where id = $1 and customer_id = $2 returning \(Self.columns)",
                [.text(id), .text(customerID)])
            guard let flow = try rows.first.map(Self.flow) else { return false }
            try Outbox.add(try event(flow), schema: Self.schema, on: connection)
            return true
        }
    }

    private static func flow(_ row: Row) throws -> FlowDefinition {
        FlowDefinition(
            id: try row.text("id"), customerID: try row.text("customer_id"), name: try row.text("name"),
            actions: try (try row.document("actions").array ?? []).map { document in
                guard let action = Action(json: document) else { throw Run.Unreadable() }
                return action
            },
            onCompleteFlowID: try row.optionalText("on_complete_flow_id"), version: Int(try row.int("version")),
            createdAt: try row.timestamp("created_at"), updatedAt: try row.timestamp("updated_at"))
    }
}
