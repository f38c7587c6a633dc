import Contracts
import Database

/// Keys, and whom they belong to.
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

    /// Changes a key that nobody changes meanwhile; what `change` throws leaves it as it was. Nil when there is none.
    func changeKey(
        _ id: String, of customerID: String, _ change: @escaping @Sendable (Key) throws -> Key
    ) async throws -> Key? {
        try await database.transaction(.durable) { connection in
            let rows = try connection.query(
                "select \(Self.keyColumns) from accounts.keys where id = $1 and customer_id = $2 for update", [.text(id), .text(customerID)])
            guard let key = try rows.first.map(Self.key) else { return nil }
            let changed = try change(key)
            return try connection.query(
                """
                update accounts.keys set name = $3, scopes = $4, expires_at = to_timestamp($5::bigint / 1000.0)
                where id = $1 and customer_id = $2 returning \(Self.keyColumns)
                """,
                [
                    .text(id), .text(customerID), .text(changed.name), .text(changed.scopes.joined(separator: " ")),
                    .optional(changed.expiresAt?.milliseconds),
                ]
            ).first.map(Self.key)
        }
    }

    func deleteKey(_ id: String, of customerID: String) async throws -> Bool {
        try await database.transaction(.durable) { connection in
            try connection.change("delete from accounts.keys where id = $1 and customer_id = $2", [.text(id), .text(customerID)]) > 0
        }
    }
}
