import Contracts
import Database
import Flow

/// Webhooks that nobody waits for: written with the step that sends them, gone when they were taken.
extension Store {
    /// The rows of a step, and who makes their first attempts; nil: whoever comes first.
    struct NewWebhooks: Sendable {
        var list: [Webhook] = []
        var claimedBy: String?

        /// For `unnest`: their ids, their requests, and how many seconds each is left to who makes it.
        var parameters: [Parameter] {
            [.texts(list.map(\.id)), .texts(list.map(\.request.json.jsonText)), .optional(claimedBy), .double(list.map(\.lease).max() ?? 0)]
        }

        /// A part of the step's statement, with its parameters from `first` on, so that both are on disk or neither.
        func statement(run: String, customer: String, reference: String, first: Int) -> String {
            guard !list.isEmpty else { return "" }
            return """
                , sent as (
                    insert into flows.webhooks (id, customer_id, run_id, reference_id, request, attempts, claimed_by, due_at)
                    select list.id, \(customer), \(run), \(reference), list.request::json, case when $\(first + 2)::text is null then 0 else 1 end, $\(first + 2)::text,
                        now() + make_interval(secs => case when $\(first + 2)::text is null then 0 else $\(first + 3)::double precision end)
                    from unnest($\(first)::text[], $\(first + 1)::text[]) as list (id, request) where exists (select from written)
                    on conflict (id) do nothing)
                """
        }
    }

    /// One that no step sends, for whoever claims it; of those with one id the first alone.
    func insert(_ webhook: Webhook) async throws {
        try await run { connection in
            _ = try connection.change(
                """
                insert into flows.webhooks (id, customer_id, run_id, reference_id, request, attempts, due_at)
                values ($1, $2, $3, $4, $5::json, 0, now()) on conflict (id) do nothing
                """,
                [
                    .text(webhook.id), .text(webhook.customerID), .text(webhook.runID), .text(webhook.referenceID),
                    .text(webhook.request.json.jsonText),
                ])
        }
    }

    /// Those that are due, and those of instances that are no more, none of `busy` customers: nobody else makes the next attempt at them for
    /// `lease` seconds.
    func claimWebhooks(most: Int, for claimant: String, living: [String]?, besides busy: [String], lease: Double) async throws -> [Webhook] {
        try await run { connection in
            try connection.query(
                """
                with due as (
                    select id from flows.webhooks where dead_at is null and due_at <= now() and customer_id <> all($5::text[])
                    order by due_at limit $4 for update skip locked),
                forsaken as (
                    select id from flows.webhooks
                    where dead_at is null and claimed_by is not null and claimed_by <> all($3::text[]) and customer_id <> all($5::text[])
                    limit $4 for update skip locked)
                update flows.webhooks set attempts = attempts + 1, claimed_by = $1, due_at = now() + make_interval(secs => $2)
                where id in (select id from due union select id from forsaken)
                returning id, customer_id, run_id, reference_id, request, attempts, (extract(epoch from now() - created_at) * 1000)::bigint as age
                """, [.text(claimant), .double(lease), living.map(Parameter.texts) ?? .null, .int(most), .texts(busy)]
            ).map(Self.webhook)
        }
    }

    private static func webhook(_ row: Row) throws -> Webhook {
        guard let request = FlowRequest(json: try row.document("request")) else {
            throw DatabaseError.unexpectedResult("a webhook's request cannot be read")
        }
        return Webhook(
            id: try row.text("id"), customerID: try row.text("customer_id"), runID: try row.text("run_id"),
            referenceID: try row.text("reference_id"), request: request, attempts: Int(try row.int("attempts")), age: Int(try row.int("age")))
    }

    /// What came of the attempt; of one that another has made since nothing is written. False then.
    func settle(_ webhook: Webhook, _ end: Webhook.End) async throws -> Bool {
        let (id, attempts) = (webhook.id, webhook.attempts)
        return try await run { connection in
            switch end {
            case .taken:
                try !connection.query(
                    "delete from flows.webhooks where id = $1 and attempts = $2 returning id", [.text(id), .int(attempts)]
                ).isEmpty
            case .again(let milliseconds):
                try !connection.query(
                    """
                    update flows.webhooks set claimed_by = null, due_at = now() + make_interval(secs => $3)
                    where id = $1 and attempts = $2 and dead_at is null returning id
                    """, [.text(id), .int(attempts), .double(Double(milliseconds) / 1000)]
                ).isEmpty
            case .dead(let why):
                try !connection.query(
                    """
                    update flows.webhooks set claimed_by = null, dead_at = now(), failure = $3
                    where id = $1 and attempts = $2 and dead_at is null returning id
                    """, [.text(id), .int(attempts), .text(why)]
                ).isEmpty
            }
        }
    }

    /// Forgets those that were given up so long ago, and counts those that wait.
    func sweepWebhooks(keptDays days: Int) async throws -> Int {
        try await run { connection in
            try connection.query(
                "delete from flows.webhooks where dead_at < now() - make_interval(days => $1::int) returning id", [.int(days)])
            return Int(try connection.query("select count(*) as waiting from flows.webhooks where dead_at is null").first?.int("waiting") ?? 0)
        }
    }
}
