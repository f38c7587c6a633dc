import Contracts
import Cryptography
import Database
import Flow

/// The schema `accounts`: the only place with its SQL. Customers here; what the Registrar knows of them, keys, requests and events in the files beside.
struct AccountStore: Sendable {
    let database: Database
    /// Seals stored answers, which may hold a secret.
    let sealingKey: [UInt8]

    static func milliseconds(_ column: String) -> String { "(extract(epoch from \(column)) * 1000)::bigint as \(column)" }
}

// MARK: Customers

struct CustomerFilter: Sendable {
    var id: String?
    var domain: String?
    var name: String?
    var status: String?
}

enum CustomerInsertion: Sendable {
    case inserted(Customer)
    /// Another customer has the domain.
    case domainTaken
    /// A customer that is being deleted has it still.
    case domainStillHeld(by: String)
}

extension AccountStore {
    static let customerColumns =
        "id, name, domain, status, \(milliseconds("created_at")), \(milliseconds("updated_at"))"

    static func customer(_ row: Row) throws -> Customer {
        guard let status = CustomerStatus(rawValue: try row.text("status")) else {
            throw DatabaseError.unexpectedResult("a customer's status is unknown")
        }
        return Customer(
            id: try row.text("id"), name: try row.text("name"), domain: try row.text("domain"), status: status,
            createdAt: Timestamp(milliseconds: try row.int("created_at")), updatedAt: Timestamp(milliseconds: try row.int("updated_at")))
    }

    /// Inserting the same id twice is inserting it once.
    func insertCustomer(_ id: String, name: String, domain: String, status: CustomerStatus) async throws -> CustomerInsertion {
        try await database.transaction(.durable) { connection in
            let holder = try connection.query(
                "select id, pending from accounts.customers where domain = $1 and id <> $2 for update", [.text(domain), .text(id)])
            if let holder = holder.first {
                return try holder.optionalText("pending") == RegistrarNews.remove.rawValue
                    ? .domainStillHeld(by: try holder.text("id")) : .domainTaken
            }
            let rows: [Row]
            do {
                rows = try connection.query(
                    """
                    insert into accounts.customers (id, name, domain, status) values ($1, $2, $3, $4)
                    on conflict (id) do update set name = excluded.name, pending = replace(customers.pending, 'remove', 'put')
                    returning \(Self.customerColumns)
                    """, [.text(id), .text(name), .text(domain), .text(status.rawValue)])
            } catch DatabaseError.uniqueViolation {
                // Somebody was quicker, between the two statements.
                return .domainTaken
            }
            guard let row = rows.first else { throw DatabaseError.unexpectedResult("an inserted customer is not returned") }
            return .inserted(try Self.customer(row))
        }
    }

    func customer(_ id: String) async throws -> Customer? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.customerColumns) from accounts.customers where id = $1 and pending is distinct from 'remove'", [.text(id)]
            ).first.map(Self.customer)
        }
    }

    func customers(_ filter: CustomerFilter, limit: Int, before: String?) async throws -> [Customer] {
        try await database.run { connection in
            try connection.query(
                """
                select \(Self.customerColumns) from accounts.customers where pending is distinct from 'remove'
                and ($1::text is null or id = $1) and ($2::text is null or domain = $2) and ($3::text is null or name = $3)
                and ($4::text is null or status = $4) and ($5::text is null or id < $5) order by id desc limit $6
                """,
                [
                    .optional(filter.id), .optional(filter.domain), .optional(filter.name), .optional(filter.status), .optional(before),
                    .int(limit),
                ]
            ).map(Self.customer)
        }
    }

    /// Of another status the Registrar has to be told.
    func updateCustomer(_ id: String, name: String?, status: CustomerStatus?) async throws -> Customer? {
        try await database.transaction(.durable) { connection in
            try connection.query(
                """
                update accounts.customers set name = coalesce($2, name), status = coalesce($3, status),
                    pending = case when $3::text is not null then 'put' else pending end, updated_at = now()
                where id = $1 and pending is distinct from 'remove' returning \(Self.customerColumns)
                """, [.text(id), .optional(name), .optional(status?.rawValue)]
            ).first.map(Self.customer)
        }
    }

    /// Takes the keys away and leaves the row for the Registrar to be told; false when there is no such customer.
    func retireCustomer(_ id: String) async throws -> Bool {
        try await database.transaction(.durable) { connection in
            let retired = try connection.change(
                """
                update accounts.customers set pending = 'remove', updated_at = now()
                where id = $1 and pending is distinct from 'remove'
                """, [.text(id)])
            guard retired > 0 else { return false }
            try connection.change("delete from accounts.keys where customer_id = $1", [.text(id)])
            try connection.change("delete from accounts.requests where owner = $1", [.text(id)])
            return true
        }
    }
}
