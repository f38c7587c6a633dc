import Bus
import Contracts
import Database
import Deadlines
import FoundationEssentials
import JSONCoding
import ServiceKit
import Threads

/// Dialogs of extensions that are watched (RFC 4235). Who is watched stands beside the records, so whoever writes one, in whichever
/// process, tells of it in the same statement, and nothing is told of anybody else.
extension CallStore {
    /// What a batch of events has to tell those who watch: parallel lists for the statement.
    struct WatchedChanges {
        var events: [WrittenEvent] = []
        var customers: [String] = []
        var numbers: [String] = []

        mutating func note(_ entry: RecordWriter.Entry) throws {
            guard let type = entry.type, Call.changesDialog(type), let number = entry.call.watchedNumber else { return }
            events.append(try CallStore.dialogEvent(entry.call, entry.dialog, number, id: entry.id, at: entry.timestamp, sequence: entry.sequence))
            customers.append(entry.call.customerID)
            numbers.append(number)
        }
    }

    static func dialogEvent(
        _ call: Call, _ side: Leg.DialogSide?, _ number: String, id: String, at time: Timestamp, sequence: Int64
    ) throws -> WrittenEvent {
        try WrittenEvent(
            id: id, type: DialogChanged.eventType, timestamp: time, customerID: call.customerID, resourceID: call.id, sequence: sequence,
            data: JSONText.encode(DialogChanged(number: number, dialog: PhoneDialog(call, side))))
    }

    /// The part of a statement that tells of `$events`, as far as their numbers are watched.
    static func telling(events: String, customers: String, numbers: String, if condition: String) -> String {
        """
        insert into calls.outbox (event)
        select event::jsonb from unnest(\(events)::text[], \(customers)::text[], \(numbers)::text[]) with ordinality as list (event, customer, number, place)
        where \(condition) and exists (
            select from calls.watched where watched.customer_id = list.customer and watched.number = list.number and watched.until > now())
        order by place
        """
    }

    /// Has the extension watched from now on, then reads its dialogs: what changes after that is told.
    func dialogs(_ command: ListDialogs) async throws -> ListDialogs.Reply {
        let begun = try await watch(command)
        if let begun { try await settle(begun) }
        let rows = try await database.run { connection in
            try connection.query(
                """
                select record, dialog from calls.calls
                where customer_id = $1 and status in ('queued', 'ringing', 'in_progress')
                    and (direction = 'inbound' and caller = $2 and record->>'trunk' is null or direction = 'outbound' and callee = $2)
                order by id desc limit $3
                """, [.text(command.customerID), .text(command.number), .int(command.limit)])
        }
        return ListDialogs.Reply(dialogs: try rows.reversed().map { row in
            PhoneDialog(try Self.call(row), try Self.dialogSide(row))
        })
    }

    static func dialogSide(_ row: Row) throws -> Leg.DialogSide? {
        try row.optionalText("dialog").map { try JSONText.decode(Leg.DialogSide.self, from: Array($0.utf8)) }
    }

    /// The transaction that has begun it; nil: it was watched already.
    private func watch(_ command: ListDialogs) async throws -> Int64? {
        try await database.run { connection in
            _ = try connection.query("delete from calls.watched where until < now()")
            let rows = try connection.query(
                """
                insert into calls.watched as known (customer_id, number, until) values ($1, $2, to_timestamp($3))
                on conflict (customer_id, number) do update set until = greatest(known.until, excluded.until)
                returning xmax = 0 as begun, txid_current() as transaction
                """, [.text(command.customerID), .text(command.number), .double(Double(command.watchedUntil.milliseconds) / 1_000)])
            guard let row = rows.first, try row.bool("begun") else { return nil }
            return try row.int("transaction")
        }
    }

    private static let settling = Interval.milliseconds(300)

    /// Statements that were under way when it began do not know of it, so their records are waited for; they take some milliseconds. A long
    /// transaction of somebody else's is not waited for.
    private func settle(_ transaction: Int64) async throws {
        let end = MonotonicClock.now() + Self.settling
        while MonotonicClock.now() < end {
            let isOver = try await database.run { connection in
                try connection.query("select txid_snapshot_xmin(txid_current_snapshot()) > $1 as over", [.int(transaction)]).first?.bool("over") ?? true
            }
            if isOver { return }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }
}
