import Contracts
import Database
import JSONCoding
import ServiceKit

/// Extensions.
extension Store {
    /// What a digest is checked with, still sealed.
    struct Account: Sendable {
        var customerID: String
        var extensionID: String
        var number: String
        var domain: String
        var credentials: [UInt8]
        /// As its customer is.
        var isSuspended: Bool
    }

    static let extensionColumns = """
        e.id, e.customer_id, e.number, e.name, e.flow_id, e.do_not_disturb, e.forwarding, d.name as domain,
        exists (select 1 from registrar.bindings b where b.extension_id = e.id and b.expires_at > now() and b.contact ~ '^sips?:') as registered,
        (extract(epoch from e.created_at) * 1000)::bigint as created_at,
        (extract(epoch from e.updated_at) * 1000)::bigint as updated_at
        """
    static let extensionTables = "registrar.extensions e join registrar.domains d on d.customer_id = e.customer_id"

    /// Creates the extension; or gives the one that the same delivery created before.
    func create(_ new: Extension, credentials: [UInt8], idempotencyKey: String) async throws -> Extension {
        do {
            return try await transaction(.durable) { connection in
                // It stays what it is until this is done: the credentials were sealed for it.
                let rows = try connection.query("select name from registrar.domains where customer_id = $1 for share", [.text(new.customerID)])
                guard try rows.first?.text("name") == new.domain else {
                    throw RPCError(.unavailable, "the customer's domain has changed; ask again")
                }
                let created = try connection.change(
                    """
                    insert into registrar.extensions
                        (id, customer_id, number, name, flow_id, credentials, idempotency_key, created_at, updated_at, do_not_disturb, forwarding)
                    values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8), to_timestamp($8), $9, $10::jsonb)
                    on conflict on constraint extension_idempotency do nothing
                    """,
                    [
                        .text(new.id), .text(new.customerID), .text(new.number), .text(new.name), .optional(new.flowID),
                        .bytes(credentials), .text(idempotencyKey), new.createdAt.parameter, .bool(new.doNotDisturb == true),
                        .optional(try Self.text(of: new.forwarding)),
                    ])
                if created == 1 {
                    try tell("extension.created", of: new.id, new.customerID, new, on: connection)
                    return new
                }
                let former = try connection.query(
                    "select \(Self.extensionColumns) from \(Self.extensionTables) where e.customer_id = $1 and e.idempotency_key = $2",
                    [.text(new.customerID), .text(idempotencyKey)])
                guard let row = former.first else { throw RPCError(.conflict, "the extension was deleted meanwhile") }
                return try Self.extensionRecord(row)
            }
        } catch DatabaseError.uniqueViolation {
            throw Self.numberTaken
        } catch DatabaseError.foreignKeyViolation {
            throw RPCError(.conflict, "the customer has no domain")
        }
    }

    func find(_ id: String, customer: String) async throws -> Extension? {
        try await run { connection in
            try connection.query(
                "select \(Self.extensionColumns) from \(Self.extensionTables) where e.customer_id = $1 and e.id = $2", [.text(customer), .text(id)]
            ).first.map(Self.extensionRecord)
        }
    }

    func find(number: String, customer: String) async throws -> Extension? {
        try await run { connection in
            try connection.query(
                "select \(Self.extensionColumns) from \(Self.extensionTables) where e.customer_id = $1 and e.number = $2",
                [.text(customer), .text(number)]
            ).first.map(Self.extensionRecord)
        }
    }

    /// Newest first, one more than asked for when there are more.
    func list(customer: String, after cursor: String?, limit: Int, number: String?, name: String?) async throws -> [Extension] {
        try await run { connection in
            try connection.query(
                """
                select \(Self.extensionColumns) from \(Self.extensionTables)
                where e.customer_id = $1 and ($2::text is null or e.id < $2) and ($3::text is null or e.number = $3)
                    and ($4::text is null or e.name = $4)
                order by e.id desc limit $5
                """,
                [.text(customer), .optional(cursor), .optional(number), .optional(name), .int(limit + 1)]
            ).map(Self.extensionRecord)
        }
    }

    /// A password for a number, and the number that the extension had when it was sealed: with another none of its phones is where it was.
    struct SealedPassword: Sendable {
        var credentials: [UInt8]
        var number: String
        var former: String
    }

    /// Changes what is given; an empty `flowID` removes the flow. Nil when there is no such extension.
    func update(_ command: UpdateExtension, _ sealed: SealedPassword?, at time: Timestamp) async throws -> Extension? {
        let (id, customer) = (command.id, command.customerID)
        let newNumber = sealed.flatMap { $0.number == $0.former ? nil : $0.number }
        do {
            return try await transaction(.durable) { connection in
                let current = try connection.query(
                    "select number, forwarding from registrar.extensions where customer_id = $1 and id = $2 for update",
                    [.text(customer), .text(id)])
                guard let row = current.first else { return nil }
                if let sealed, try row.text("number") != sealed.former { throw RPCError(.conflict, "the number was changed meanwhile") }
                let former = try Self.forwarding(row)
                let forwarding = command.forwarding?.applied(to: former) ?? former
                // Whether its phones may be rung is told with where they are: a newer version of that.
                let changed = try connection.change(
                    """
                    update registrar.extensions set
                        credentials = coalesce($3, credentials), name = coalesce($4, name),
                        flow_id = case when $5::text is null then flow_id else nullif($5, '') end, updated_at = to_timestamp($6),
                        do_not_disturb = coalesce($7, do_not_disturb), forwarding = $8::jsonb, number = coalesce($9::text, number),
                        binding_version = case when $7 <> do_not_disturb or $9::text is not null
                            then nextval('registrar.binding_versions') else binding_version end
                    where customer_id = $1 and id = $2
                    """,
                    [
                        .text(customer), .text(id), (sealed?.credentials).map(Parameter.bytes) ?? .null, .optional(command.name),
                        .optional(command.flowID), time.parameter, command.doNotDisturb.map(Parameter.bool) ?? .null,
                        .optional(try Self.text(of: forwarding)), .optional(newNumber),
                    ])
                guard changed == 1 else { return nil }
                if newNumber != nil {
                    try connection.change(
                        "delete from registrar.bindings where extension_id = $1 and customer_id = $2", [.text(id), .text(customer)])
                    try Self.endWatching(of: id, on: connection)
                }
                let rows = try connection.query(
                    "select \(Self.extensionColumns) from \(Self.extensionTables) where e.customer_id = $1 and e.id = $2", [.text(customer), .text(id)])
                guard let updated = try rows.first.map(Self.extensionRecord) else { return nil }
                try tell("extension.updated", of: id, customer, updated, on: connection)
                return updated
            }
        } catch DatabaseError.uniqueViolation {
            throw Self.numberTaken
        }
    }

    private static let numberTaken = RPCError(
        .conflict, "the number is taken",
        problems: [Problem(pointer: "/number", code: "taken", detail: "another extension has this number")])

    /// The extension as it was; nil when there was none.
    func delete(_ id: String, customer: String) async throws -> Extension? {
        try await transaction(.durable) { connection in
            let rows = try connection.query(
                "select \(Self.extensionColumns) from \(Self.extensionTables) where e.customer_id = $1 and e.id = $2 for update of e",
                [.text(customer), .text(id)])
            guard let deleted = try rows.first.map(Self.extensionRecord) else { return nil }
            try connection.change("delete from registrar.extensions where customer_id = $1 and id = $2", [.text(customer), .text(id)])
            try tell("extension.deleted", of: id, customer, deleted, on: connection)
            try Self.endWatching(of: id, on: connection)
            return deleted
        }
    }

    /// The one look-up without a customer's id: it is what tells whose the domain is.
    func account(domain: String, number: String) async throws -> Account? {
        try await run { connection in
            try connection.query(
                """
                select e.customer_id, e.id, e.number, d.name as domain, d.is_suspended, e.credentials from \(Self.extensionTables)
                where d.name = $1 and e.number = $2
                """, [.text(domain), .text(number)]
            ).first.map { row in
                Account(
                    customerID: try row.text("customer_id"), extensionID: try row.text("id"), number: try row.text("number"),
                    domain: try row.text("domain"), credentials: try row.bytes("credentials"), isSuspended: try row.bool("is_suspended"))
            }
        }
    }

    static func extensionRecord(_ row: Row) throws -> Extension {
        var found = Extension(
            id: try row.text("id"), customerID: try row.text("customer_id"), number: try row.text("number"),
            name: try row.text("name"), flowID: try row.optionalText("flow_id"), domain: try row.text("domain"),
            registered: try row.bool("registered"), createdAt: try row.timestamp("created_at"),
            updatedAt: try row.timestamp("updated_at"))
        (found.doNotDisturb, found.forwarding) = (try row.bool("do_not_disturb"), try forwarding(row))
        return found
    }

    private static func forwarding(_ row: Row) throws -> CallForwarding? {
        try row.optionalText("forwarding").map { try JSONText.decode(CallForwarding.self, from: Array($0.utf8)) }
    }

    private static func text(of forwarding: CallForwarding?) throws -> String? {
        guard let forwarding, !forwarding.isEmpty else { return nil }
        return String(decoding: try JSONText.encode(forwarding), as: UTF8.self)
    }
}
