import Contracts
import Cryptography
import Database
import Flow

/// The schema `accounts`: the only place with its SQL. Customers and keys here, requests and events in the files beside.
struct AccountStore: Sendable {
    let database: Database
    /// Seals stored answers, which may hold a secret.
    let sealingKey: [UInt8]

    static func milliseconds(_ column: String) -> String { "(extract(epoch from \(column)) * 1000)::bigint as \(column)" }
}

// MARK: Customers

/// What of a customer the Registrar has still to be told.
enum RegistrarNews: String, Sendable { case put, remove }

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
    private static let customerColumns =
        "id, name, domain, status, \(milliseconds("created_at")), \(milliseconds("updated_at"))"

    private static func customer(_ row: Row) throws -> Customer {
        guard let status = CustomerStatus(rawValue: try row.text("status")) else {
            throw DatabaseError.unexpectedResult("a customer's status is unknown")
        }
        return Customer(
            id: try row.text("id"), name: try row.text("name"), domain: try row.text("domain"), status: status,
            createdAt: Timestamp(milliseconds: try row.int("created_at")), updatedAt: Timestamp(milliseconds: try row.int("updated_at")))
    }

    /// Inserting the same id twice is inserting it once.
    func insertCustomer(_ id: String, name: String, domain: String) async throws -> CustomerInsertion {
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
                    insert into accounts.customers (id, name, domain) values ($1, $2, $3)
                    on conflict (id) do update set name = excluded.name, pending = replace(customers.pending, 'remove', 'put')
                    returning \(Self.customerColumns)
                    """, [.text(id), .text(name), .text(domain)])
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

    func updateCustomer(_ id: String, name: String?, status: CustomerStatus?) async throws -> Customer? {
        try await database.transaction(.durable) { connection in
            try connection.query(
                """
                update accounts.customers set name = coalesce($2, name), status = coalesce($3, status), updated_at = now()
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

    /// The Registrar knows of the customer.
    func settleCustomer(_ id: String) async throws {
        _ = try await database.run { connection in
            try connection.change("update accounts.customers set pending = null where id = $1 and pending = 'put'", [.text(id)])
        }
    }

    /// The Registrar has forgotten the customer, or has never known it.
    func removeCustomer(_ id: String) async throws {
        _ = try await database.run { connection in
            try connection.change("delete from accounts.customers where id = $1", [.text(id)])
        }
    }

    func pendingCustomer(_ id: String) async throws -> (domain: String, news: RegistrarNews)? {
        try await database.run { connection in
            let rows = try connection.query("select domain, pending from accounts.customers where id = $1", [.text(id)])
            guard let row = rows.first, let news = try row.optionalText("pending").flatMap(RegistrarNews.init) else { return nil }
            return (try row.text("domain"), news)
        }
    }

    /// Those that whoever changed them has not settled by now.
    func pendingCustomers() async throws -> [String] {
        try await database.run { connection in
            try connection.query(
                """
                select id from accounts.customers where pending is not null and updated_at < now() - interval '10 s'
                order by updated_at limit 100
                """
            ).map { try $0.text("id") }
        }
    }
}

// MARK: Keys

extension AccountStore {
    private static let keyColumns =
        "id, customer_id, name, scopes, \(milliseconds("expires_at")), \(milliseconds("created_at"))"

    private static func key(_ row: Row) throws -> Key {
        Key(
            id: try row.text("id"), customerID: try row.text("customer_id"), name: try row.text("name"),
            scopes: try row.text("scopes").split(separator: " ").map(String.init),
            expiresAt: try row.optionalInt("expires_at").map(Timestamp.init), createdAt: Timestamp(milliseconds: try row.int("created_at")))
    }

    /// Whom the key with this digest belongs to; nil when it is unknown or expired.
    func principal(digest: [UInt8]) async throws -> Principal? {
        try await database.run { connection in
            let rows = try connection.query(
                """
                select k.id, k.customer_id, k.scopes, c.status from accounts.keys k join accounts.customers c on c.id = k.customer_id
                where k.digest = $1 and (k.expires_at is null or k.expires_at > now()) and c.pending is distinct from 'remove'
                """, [.bytes(digest)])
            guard let row = rows.first else { return nil }
            return Principal(
                keyID: try row.text("id"), customerID: try row.text("customer_id"),
                scopes: ScopeSet(try row.text("scopes").split(separator: " ").map(String.init)),
                isSuspended: try row.text("status") != CustomerStatus.active.rawValue)
        }
    }

    /// False when the customer has gone meanwhile. Inserting the same id twice is inserting it once, with the later secret.
    func insertKey(_ key: Key, digest: [UInt8]) async throws -> Bool {
        try await database.transaction(.durable) { connection in
            do {
                try connection.change(
                    """
                    insert into accounts.keys (id, customer_id, name, digest, scopes, expires_at, created_at)
                    values ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1000.0), to_timestamp($7::bigint / 1000.0))
                    on conflict (id) do update set digest = excluded.digest
                    """,
                    [
                        .text(key.id), .text(key.customerID), .text(key.name), .bytes(digest),
                        .text(key.scopes.joined(separator: " ")), .optional(key.expiresAt?.milliseconds),
                        .int(key.createdAt.milliseconds),
                    ])
                return true
            } catch DatabaseError.foreignKeyViolation {
                return false
            }
        }
    }

    func keys(of customerID: String, name: String?, limit: Int, before: String?) async throws -> [Key] {
        try await database.run { connection in
            try connection.query(
                """
                select \(Self.keyColumns) from accounts.keys where customer_id = $1 and ($2::text is null or name = $2)
                and ($3::text is null or id < $3) order by id desc limit $4
                """, [.text(customerID), .optional(name), .optional(before), .int(limit)]
            ).map(Self.key)
        }
    }

    func key(_ id: String, of customerID: String) async throws -> Key? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.keyColumns) from accounts.keys where id = $1 and customer_id = $2", [.text(id), .text(customerID)]
            ).first.map(Self.key)
        }
    }

    func renameKey(_ id: String, of customerID: String, to name: String) async throws -> Key? {
        try await database.transaction(.durable) { connection in
            try connection.query(
                "update accounts.keys set name = $3 where id = $1 and customer_id = $2 returning \(Self.keyColumns)",
                [.text(id), .text(customerID), .text(name)]
            ).first.map(Self.key)
        }
    }

    func deleteKey(_ id: String, of customerID: String) async throws -> Bool {
        try await database.transaction(.durable) { connection in
            try connection.change("delete from accounts.keys where id = $1 and customer_id = $2", [.text(id), .text(customerID)]) > 0
        }
    }
}
