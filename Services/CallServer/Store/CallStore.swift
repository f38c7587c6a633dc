import Bus
import Contracts
import Database
import Flow
import FoundationEssentials
import JSONCoding
import ServiceKit

/// The call records of schema `calls`: the only place with SQL. Every query of a customer carries its id.
struct CallStore: Sendable {
    let database: Database
    let instance: String

    var lives: Lives { Lives(database, schema: Self.schema) }

    /// Writes records with their events, all or nothing; a record older than the stored one changes nothing. False when PostgreSQL does not
    /// live this life any more: nothing is written then.
    ///
    /// One statement however many there are, whose commit waits for no disk: of a call's records the last alone is written. An event is written with
    /// its record, so one whose number the stored record has is there: somebody who has gone on with the call tells of it again.
    func write(_ entries: [RecordWriter.Entry], in life: String) async throws -> Bool {
        var last: [String: (entry: RecordWriter.Entry, json: String)] = [:]
        var events: [WrittenEvent] = []
        var epochs: [String] = []
        var watched = WatchedChanges()
        for entry in entries {
            try watched.note(entry)
            let json = try JSONText.encode(entry.call)
            if let type = entry.type {
                events.append(try Self.event(type, entry, record: json))
                epochs.append(String(entry.epoch))
            }
            if let known = last[entry.call.id], (known.entry.epoch, known.entry.sequence) > (entry.epoch, entry.sequence) { continue }
            last[entry.call.id] = (entry, String(decoding: json, as: UTF8.self))
        }
        let rows = Array(last.values)
        func column(_ value: (Call) -> String) -> Parameter { .texts(rows.map { value($0.entry.call) }) }
        let parameters: [Parameter] = [
            column(\.id), column(\.customerID), column(\.direction.rawValue), column(\.status.rawValue), column(\.from), column(\.to), .text(instance),
            .texts(rows.map { String($0.entry.sequence) }), .texts(rows.map(\.json)), Outbox.texts(events),
            .text(life), .texts(try rows.map { try $0.entry.dialog.map { String(decoding: try JSONText.encode($0), as: UTF8.self) } ?? "" }),
            Outbox.texts(watched.events), .texts(watched.customers), .texts(watched.numbers), .texts(rows.map { String($0.entry.epoch) }), .texts(epochs),
        ]
        return try await database.run { connection in
            try connection.query(
                """
                with relaxed as materialized (select set_config('synchronous_commit', 'off', true)),
                alive as (select from calls.lives where id = $11),
                written as (
                    insert into calls.calls (id, customer_id, direction, status, caller, callee, server, sequence, record, dialog, epoch)
                    select id, customer, direction, status, caller, callee, $7, sequence::bigint, record::jsonb, nullif(dialog, ''), epoch::bigint
                    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::text[], $9::text[], $12::text[], $16::text[])
                        as new (id, customer, direction, status, caller, callee, sequence, record, dialog, epoch)
                    where exists (select from alive) order by id
                    on conflict (id) do update set status = excluded.status, server = excluded.server,
                        sequence = excluded.sequence, record = excluded.record, dialog = excluded.dialog, epoch = excluded.epoch
                    where calls.calls.sequence <= excluded.sequence and calls.calls.epoch <= excluded.epoch),
                told as (
                    insert into calls.outbox (event)
                    select event::jsonb from unnest($10::text[], $17::text[]) with ordinality as list (event, epoch, place)
                    where exists (select from alive) and \(Self.isNews("known.epoch > list.epoch::bigint")) order by place),
                watching as (\(Self.telling(
                    events: "$13", customers: "$14", numbers: "$15", if: "exists (select from alive) and \(Self.isNews("false"))")))
                select count(*) > 0 and exists (select from alive) as written from relaxed
                """, parameters
            ).first?.bool("written") ?? false
        }
    }

    private static func event(_ type: String, _ entry: RecordWriter.Entry, record json: [UInt8]) throws -> WrittenEvent {
        try WrittenEvent(
            id: entry.id, type: type, timestamp: entry.timestamp, customerID: entry.call.customerID, resourceID: entry.call.id,
            sequence: entry.sequence, data: json, entry.details.isEmpty ? nil : JSONText.encode(entry.details))
    }

    static let schema = "calls"

    /// Whether the record of an `event`'s call, as it is before the statement, knows nothing of it; what another owner of the call than the record's
    /// has to say is none (RELIABILITY §4.2).
    private static func isNews(_ isOfAnother: String) -> String {
        """
        not exists (
            select from calls.calls known
            where known.id = event::jsonb->>'resource_id' and (known.sequence >= (event::jsonb->>'sequence')::bigint or \(isOfAnother)))
        """
    }

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

    /// Newest first; the cursor is the id of the last call of the page before. What few ask for is read out of the records of the customer's calls.
    func list(_ command: ListCalls) async throws -> Page<Call> {
        let limit = command.page.limit
        let rows = try await database.run { connection in
            try connection.query(
                """
                select record from calls.calls
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or status = $3)
                    and ($4::text is null or direction = $4) and ($5::text is null or caller = $5) and ($6::text is null or callee = $6)
                    and ($7::text is null or record->>'parent_call_id' = $7) and ($8::text is null or record->>'sip_call_id' = $8)
                    and ($9::text is null or record->>'run_id' = $9) and ($10::text is null or record->>'room_id' = $10)
                order by id desc limit $11
                """,
                [
                    .text(command.customerID), .optional(command.page.cursor), .optional(command.status?.rawValue),
                    .optional(command.direction?.rawValue), .optional(command.from.map(DialledTarget.number)),
                    .optional(command.to.map(DialledTarget.number)), .optional(command.parentCallID), .optional(command.sipCallID),
                    .optional(command.runID), .optional(command.roomID), .int(limit + 1),
                ])
        }
        let calls = try rows.prefix(limit).map(Self.call)
        return Page(data: calls, nextCursor: rows.count > limit ? calls.last?.id : nil)
    }

    static func call(_ row: Row) throws -> Call {
        try JSONText.decode(Call.self, from: Array(try row.text("record").utf8))
    }
}
