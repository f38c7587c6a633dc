import Contracts
import Database
import Flow
import ServiceKit

/// Messages in mailboxes. Each change is on disk together with the event that tells of it.
extension Store {
    private static let columns = """
        id, customer_id, mailbox, status, call_id, caller, recording_id, duration_ms, version,
        (extract(epoch from created_at) * 1000)::bigint as created_at, (extract(epoch from read_at) * 1000)::bigint as read_at
        """

    /// How one was stored.
    enum Deposit: Sendable { case stored, wasThere, full }

    /// Puts a message into its mailbox, once; `full` when as many as `most` lie there.
    func deposit(_ voicemail: Contracts.Voicemail, most: Int, event: Event) async throws -> Deposit {
        try await durably { connection in
            // Of two that come at once the second counts the first.
            _ = try connection.query(
                "select pg_advisory_xact_lock(hashtextextended($1, 0)) is null as held",
                [.text("flows.voicemails/\(voicemail.customerID)/\(voicemail.mailbox)")])
            let there = try connection.query(
                "select id from flows.voicemails where customer_id = $1 and recording_id = $2",
                [.text(voicemail.customerID), .text(voicemail.recordingID)])
            guard there.isEmpty else { return .wasThere }
            let rows = try connection.query(
                """
                insert into flows.voicemails
                    (id, customer_id, mailbox, status, call_id, caller, recording_id, duration_ms, version, created_at)
                select $1, $2, $3, $4, $5, $6, $7, $8, 1, to_timestamp($9)
                where (select count(*) from flows.voicemails where customer_id = $2 and mailbox = $3)
                    < least($10, coalesce((select max_messages from flows.mailboxes where customer_id = $2 and name = $3), $10))
                on conflict do nothing returning id
                """,
                [
                    .text(voicemail.id), .text(voicemail.customerID), .text(voicemail.mailbox), .text(voicemail.status.rawValue),
                    .text(voicemail.callID), .text(voicemail.from), .text(voicemail.recordingID), .int(voicemail.durationMS),
                    voicemail.createdAt.parameter, .int(most),
                ])
            guard !rows.isEmpty else { return .full }
            try Outbox.add(event, schema: Self.schema, on: connection)
            return .stored
        }
    }

    func voicemail(_ id: String, customerID: String) async throws -> Contracts.Voicemail? {
        try await run { connection in
            try connection.query(
                "select \(Self.columns) from flows.voicemails where id = $1 and customer_id = $2", [.text(id), .text(customerID)]
            ).first.map(Self.voicemail)
        }
    }

    /// Newest first, one more than asked for when there are more.
    func voicemails(
        customerID: String, after cursor: String?, limit: Int, mailbox: String?, status: String?
    ) async throws -> [Contracts.Voicemail] {
        try await run { connection in
            try connection.query(
                """
                select \(Self.columns) from flows.voicemails
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or mailbox = $3)
                    and ($4::text is null or status = $4)
                order by id desc limit $5
                """,
                [.text(customerID), .optional(cursor), .optional(mailbox), .optional(status), .int(limit + 1)]
            ).map(Self.voicemail)
        }
    }

    /// As they are listened to: the new ones first, each the oldest first.
    func mailbox(_ mailbox: String, customerID: String, limit: Int) async throws -> [Contracts.Voicemail] {
        try await run { connection in
            try connection.query(
                """
                select \(Self.columns) from flows.voicemails where customer_id = $1 and mailbox = $2
                order by status = 'read', id limit $3
                """,
                [.text(customerID), .text(mailbox), .int(limit)]
            ).map(Self.voicemail)
        }
    }

    /// Marks a message; nil when there is none. What is so already stays so, and no event tells of it.
    func mark(
        _ id: String, customerID: String, _ status: Contracts.Voicemail.Status, at time: Timestamp,
        event: @escaping @Sendable (Contracts.Voicemail, _ version: Int) throws -> Event
    ) async throws -> Contracts.Voicemail? {
        try await durably { connection in
            let rows = try connection.query(
                """
                update flows.voicemails set status = $3, version = version + 1,
                    read_at = case when $3 = 'read' then to_timestamp($4) end
                where id = $1 and customer_id = $2 and status <> $3
                returning \(Self.columns)
                """, [.text(id), .text(customerID), .text(status.rawValue), time.parameter])
            if let row = rows.first {
                let voicemail = try Self.voicemail(row)
                try Outbox.add(try event(voicemail, Int(try row.int("version"))), schema: Self.schema, on: connection)
                return voicemail
            }
            return try connection.query(
                "select \(Self.columns) from flows.voicemails where id = $1 and customer_id = $2", [.text(id), .text(customerID)]
            ).first.map(Self.voicemail)
        }
    }

    /// Removes a message and gives what it was; nil when there is none.
    func deleteVoicemail(
        _ id: String, customerID: String, event: @escaping @Sendable (Contracts.Voicemail, _ version: Int) throws -> Event
    ) async throws -> Contracts.Voicemail? {
        try await durably { connection in
            let rows = try connection.query(
                "delete from flows.voicemails where id = $1 and customer_id = $2 returning \(Self.columns)", [.text(id), .text(customerID)])
            guard let row = rows.first else { return nil }
            let voicemail = try Self.voicemail(row)
            try Outbox.add(try event(voicemail, Int(try row.int("version")) + 1), schema: Self.schema, on: connection)
            return voicemail
        }
    }

    private static func voicemail(_ row: Row) throws(DatabaseError) -> Contracts.Voicemail {
        Contracts.Voicemail(
            id: try row.text("id"), customerID: try row.text("customer_id"), mailbox: try row.text("mailbox"),
            status: Contracts.Voicemail.Status(rawValue: try row.text("status")) ?? .new, callID: try row.text("call_id"),
            from: try row.text("caller"), recordingID: try row.text("recording_id"), durationMS: Int(try row.int("duration_ms")),
            createdAt: try row.timestamp("created_at"), readAt: try row.optionalInt("read_at").map { Timestamp(milliseconds: $0) })
    }
}
