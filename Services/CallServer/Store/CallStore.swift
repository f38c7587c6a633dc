import Contracts
import Database
import Flow
import FoundationEssentials
import ServiceKit

/// The call records of schema `calls`: the only place with SQL. Every query of a customer carries its id.
struct CallStore: Sendable {
    let database: Database
    let instance: String

    /// Writes records with their events in one transaction; a record older than the stored one changes nothing.
    func write(_ entries: [RecordWriter.Entry]) async throws {
        let instance = instance
        try await database.transaction(.relaxed) { connection in
            for entry in entries {
                let call = entry.call
                let json = Array(try JSONEncoder().encode(call))
                try connection.query(
                    """
                    insert into calls.calls (id, customer_id, direction, status, caller, callee, server, sequence, record)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)
                    on conflict (id) do update set status = excluded.status, server = excluded.server,
                        sequence = excluded.sequence, record = excluded.record
                    where calls.calls.sequence < excluded.sequence
                    """,
                    [
                        .text(call.id), .text(call.customerID), .text(call.direction.rawValue), .text(call.status.rawValue),
                        .text(call.from), .text(call.to), .text(instance), .int(entry.sequence),
                        .text(String(decoding: json, as: UTF8.self)),
                    ])
                try Outbox.add(try Self.event(entry, record: json), schema: CallStore.schema, on: connection)
            }
        }
    }

    private static func event(_ entry: RecordWriter.Entry, record json: [UInt8]) throws -> Event {
        var data = try JSONValue(json: json)
        if !entry.details.isEmpty, case .object(let members) = data {
            data = .object(members.merging(entry.details) { $1 })
        }
        return Event(
            id: entry.id, type: entry.type, timestamp: entry.timestamp, customerID: entry.call.customerID, resourceID: entry.call.id,
            sequence: entry.sequence, data: data)
    }

    static let schema = "calls"

    /// The record and the instance that owns the call; nil when the customer has no such call.
    func find(_ id: String, customer: String) async throws -> (call: Call, server: String)? {
        let row = try await database.run { connection in
            try connection.query(
                "select record, server from calls.calls where customer_id = $1 and id = $2", [.text(customer), .text(id)]
            ).first
        }
        guard let row else { return nil }
        return (try Self.call(row), try row.text("server"))
    }

    /// Newest first; the cursor is the id of the last call of the page before.
    func list(_ command: ListCalls) async throws -> Page<Call> {
        let limit = command.page.limit
        let rows = try await database.run { connection in
            try connection.query(
                """
                select record from calls.calls
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or status = $3)
                    and ($4::text is null or direction = $4) and ($5::text is null or caller = $5) and ($6::text is null or callee = $6)
                order by id desc limit $7
                """,
                [
                    .text(command.customerID), .optional(command.page.cursor), .optional(command.status?.rawValue),
                    .optional(command.direction?.rawValue), .optional(command.from), .optional(command.to), .int(limit + 1),
                ])
        }
        let calls = try rows.prefix(limit).map(Self.call)
        return Page(data: calls, nextCursor: rows.count > limit ? calls.last?.id : nil)
    }

    private static func call(_ row: Row) throws -> Call {
        try JSONDecoder().decode(Call.self, from: Data(try row.text("record").utf8))
    }
}
