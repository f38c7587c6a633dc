import Contracts
import Database
import Flow
import ServiceKit

/// Mailboxes for which something is laid down. Each change is on disk together with the event that tells of it.
extension Store {
    private static let columns = """
        id, customer_id, name, pin_hash is not null as has_pin, greeting_text, to_json(greeting_urls)::text as greeting_urls, max_messages, version,
        (extract(epoch from created_at) * 1000)::bigint as created_at, (extract(epoch from updated_at) * 1000)::bigint as updated_at
        """

    /// Nil when there is one of that name; the same delivery again gives the one it has made.
    func create(_ mailbox: Mailbox, pinHash: String?, idempotencyKey: String, event: Event) async throws -> Mailbox? {
        try await durably { connection in
            let rows = try connection.query(
                """
                insert into flows.mailboxes
                    (id, customer_id, name, pin_hash, greeting_text, greeting_urls, max_messages, version, created_at, updated_at, idempotency_key)
                values ($1, $2, $3, $4, $5, $6::text[], $7, 1, to_timestamp($8), to_timestamp($8), $9)
                on conflict do nothing returning id
                """,
                [
                    .text(mailbox.id), .text(mailbox.customerID), .text(mailbox.name), .optional(pinHash), .optional(mailbox.greetingText),
                    .texts(mailbox.greetingURLs), .optional(mailbox.maxMessages.map { Int64($0) }), mailbox.createdAt.parameter,
                    .text(idempotencyKey),
                ])
            guard rows.isEmpty else {
                try Outbox.add(event, schema: Self.schema, on: connection)
                return mailbox
            }
            return try connection.query(
                "select \(Self.columns) from flows.mailboxes where customer_id = $1 and idempotency_key = $2",
                [.text(mailbox.customerID), .text(idempotencyKey)]
            ).first.map(Self.mailbox)
        }
    }

    func mailbox(id: String, customerID: String) async throws -> Mailbox? {
        try await run { connection in
            try connection.query(
                "select \(Self.columns) from flows.mailboxes where id = $1 and customer_id = $2", [.text(id), .text(customerID)]
            ).first.map(Self.mailbox)
        }
    }

    /// Newest first, one more than asked for when there are more.
    func mailboxes(customerID: String, after cursor: String?, limit: Int, name: String?) async throws -> [Mailbox] {
        try await run { connection in
            try connection.query(
                """
                select \(Self.columns) from flows.mailboxes
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or name = $3)
                order by id desc limit $4
                """, [.text(customerID), .optional(cursor), .optional(name), .int(limit + 1)]
            ).map(Self.mailbox)
        }
    }

    /// Changes what is given; nil when there is none. Another PIN opens what wrong ones have locked.
    func change(
        mailbox id: String, customerID: String, _ rules: MailboxRules, pinHash: String?, at time: Timestamp,
        event: @escaping @Sendable (Mailbox, _ version: Int) throws -> Event
    ) async throws -> Mailbox? {
        try await durably { connection in
            let rows = try connection.query(
                """
                update flows.mailboxes set
                    pin_hash = case when $3::text is null then pin_hash else nullif($3, '') end,
                    failures = case when $3::text is null then failures else 0 end,
                    locked_until = case when $3::text is null then locked_until end,
                    greeting_text = case when $4::text is null then greeting_text else nullif($4, '') end,
                    greeting_urls = coalesce($5::text[], greeting_urls),
                    max_messages = case when $6::int is null then max_messages else nullif($6::int, 0) end,
                    version = version + 1, updated_at = to_timestamp($7)
                where id = $1 and customer_id = $2 returning \(Self.columns)
                """,
                [
                    .text(id), .text(customerID), .optional(pinHash), .optional(rules.greetingText),
                    rules.greetingURLs.map(Parameter.texts) ?? .null, .optional(rules.maxMessages.map { Int64($0) }), time.parameter,
                ])
            guard let row = rows.first else { return nil }
            let mailbox = try Self.mailbox(row)
            try Outbox.add(try event(mailbox, Int(try row.int("version"))), schema: Self.schema, on: connection)
            return mailbox
        }
    }

    /// False when there is none.
    func delete(
        mailbox id: String, customerID: String, event: @escaping @Sendable (Mailbox, _ version: Int) throws -> Event
    ) async throws -> Bool {
        try await durably { connection in
            let rows = try connection.query(
                "delete from flows.mailboxes where id = $1 and customer_id = $2 returning \(Self.columns)", [.text(id), .text(customerID)])
            guard let row = rows.first else { return false }
            try Outbox.add(try event(try Self.mailbox(row), Int(try row.int("version")) + 1), schema: Self.schema, on: connection)
            return true
        }
    }

    // MARK: For flows

    /// How one is opened.
    struct Lock: Sendable {
        var pinHash: String?
        var isLocked: Bool
    }

    func lock(ofMailbox name: String, customerID: String) async throws -> Lock? {
        try await run { connection in
            try connection.query(
                "select pin_hash, coalesce(locked_until > now(), false) as locked from flows.mailboxes where customer_id = $1 and name = $2",
                [.text(customerID), .text(name)]
            ).first.map { Lock(pinHash: try $0.optionalText("pin_hash"), isLocked: try $0.bool("locked")) }
        }
    }

    /// Counts a wrong PIN, and locks the mailbox with the last that is let pass; a right one begins the count anew. False when it was locked
    /// meanwhile: then nothing counts.
    func noteTry(ofMailbox name: String, customerID: String, isRight: Bool, most: Int, lockedSeconds: Int) async throws -> Bool {
        try await run { connection in
            try !connection.query(
                """
                update flows.mailboxes set
                    failures = case when $3::bool or failures + 1 >= $4 then 0 else failures + 1 end,
                    locked_until = case when not $3::bool and failures + 1 >= $4 then now() + make_interval(secs => $5) end
                where customer_id = $1 and name = $2 and coalesce(locked_until <= now(), true) returning id
                """, [.text(customerID), .text(name), .bool(isRight), .int(most), .double(Double(lockedSeconds))]
            ).isEmpty
        }
    }

    func greeting(ofMailbox name: String, customerID: String) async throws -> (text: String?, urls: [String])? {
        try await run { connection in
            try connection.query(
                "select greeting_text, to_json(greeting_urls)::text as greeting_urls from flows.mailboxes where customer_id = $1 and name = $2",
                [.text(customerID), .text(name)]
            ).first.map { (try $0.optionalText("greeting_text"), try Self.urls($0)) }
        }
    }

    private static func urls(_ row: Row) throws -> [String] { (try row.document("greeting_urls").array ?? []).compactMap(\.string) }

    private static func mailbox(_ row: Row) throws -> Mailbox {
        Mailbox(
            id: try row.text("id"), customerID: try row.text("customer_id"), name: try row.text("name"), hasPIN: try row.bool("has_pin"),
            greetingText: try row.optionalText("greeting_text"), greetingURLs: try urls(row),
            maxMessages: try row.optionalInt("max_messages").map { Int(clamping: $0) }, createdAt: try row.timestamp("created_at"),
            updatedAt: try row.timestamp("updated_at"))
    }
}
