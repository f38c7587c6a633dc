import Contracts
import Database
import Flow

/// Slots of parking lots. One row is one slot that is taken: that a slot is had once is the table's own rule.
extension Store {
    /// A slot is kept so long beyond the longest wait, for a run that another instance goes on with.
    private static let grace = 60.0
    private static let fetching = 10.0

    /// Parks a call, once: the same call again has the slot it has. Nil: the slot, or every slot, is taken.
    func park(
        _ callID: String, customerID: String, lot: String, slot: String?, first: Int, last: Int, timeout: Int
    ) async throws -> String? {
        try await durably { connection in
            try connection.query(
                "delete from flows.parked_calls where customer_id = $1 and lot = $2 and expires_at < now()", [.text(customerID), .text(lot)])
            let there = try connection.query(
                "select slot from flows.parked_calls where customer_id = $1 and call_id = $2", [.text(customerID), .text(callID)])
            if let row = there.first { return try row.text("slot") }
            let seconds = Double(timeout) / 1000 + Self.grace
            // Two who want the lowest free slot want the same one: the second looks again when the first has it.
            for _ in 0..<8 {
                let rows = try connection.query(
                    """
                    insert into flows.parked_calls (customer_id, lot, slot, call_id, expires_at)
                    select $1, $2, wanted.slot, $3, now() + make_interval(secs => $7)
                    from (select coalesce($4::text, number::text) as slot, number from generate_series($5::int, $6::int) as number
                          where not exists (select from flows.parked_calls taken
                              where taken.customer_id = $1 and taken.lot = $2 and taken.slot = coalesce($4::text, number::text))
                          order by number limit 1) as wanted
                    on conflict do nothing returning slot
                    """,
                    [.text(customerID), .text(lot), .text(callID), .optional(slot), .int(first), .int(last), .double(seconds)])
                if let row = rows.first { return try row.text("slot") }
                let free = try connection.query(
                    "select count(*) as taken from flows.parked_calls where customer_id = $1 and lot = $2", [.text(customerID), .text(lot)])
                let taken = try free.first?.int("taken") ?? 0
                if slot != nil || taken > Int64(last - first) { return nil }
            }
            return nil
        }
    }

    func unpark(_ callID: String, customerID: String) async throws {
        _ = try await run { connection in
            try connection.query(
                "delete from flows.parked_calls where customer_id = $1 and call_id = $2 returning call_id", [.text(customerID), .text(callID)])
        }
    }

    /// The call in a slot, for one that fetches it; who has asked once may ask again. Nil: there is none, or another is faster, which has
    /// so long to meet it: then it has hung up, or could not.
    func take(lot: String, slot: String, by callID: String, customerID: String) async throws -> String? {
        try await durably { connection in
            try connection.query(
                """
                update flows.parked_calls set taken_by = $4, taken_at = now()
                where customer_id = $1 and lot = $2 and slot = $3 and expires_at > now()
                    and (taken_by is null or taken_by = $4 or taken_at is null or taken_at < now() - make_interval(secs => $5))
                returning call_id
                """, [.text(customerID), .text(lot), .text(slot), .text(callID), .double(Self.fetching)]
            ).first.map { try $0.text("call_id") }
        }
    }
}
