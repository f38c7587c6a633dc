import Contracts
import Database
import FoundationEssentials
import JSONCoding

/// Bindings. The row of the extension is locked for a change, so REGISTERs of one address of record follow one another,
/// whichever instance they reach.
extension Store {
    /// The bindings of an extension at one moment; of two, the one with the higher version is the later.
    struct Registration: Sendable {
        var extensionID: String
        var set: BindingSet
        var version: Int64
        var doNotDisturb: Bool
        /// Whether the change that led here wrote events.
        var hasNews = false
    }

    /// What subscribers are told of a binding.
    private struct Told: Encodable {
        let extension_id: String
        let number: String
        let contact: String
        let expires_at: Timestamp
        let user_agent: String?
        let instance_id: String?
    }

    private static let bindingColumns = """
        b.contact, b.path, b.q, (extract(epoch from b.expires_at) * 1000)::bigint as expires_at, b.call_id, b.cseq, b.instance_id,
        b.reg_id, b.user_agent, b.registered_at, b.refreshed_at, b.generation, b.is_unreachable
        """

    /// Changes the bindings of an extension by `change`; what it throws leaves them as they were. Nil: no such extension.
    func changeBindings(
        customer: String, number: String, _ change: @escaping @Sendable (inout BindingSet) throws -> BindingSet.Change
    ) async throws -> Registration? {
        try await transaction(.relaxed) { connection in
            let locked = try connection.query(
                """
                update registrar.extensions set binding_version = nextval('registrar.binding_versions')
                where customer_id = $1 and number = $2 returning id, binding_version, do_not_disturb
                """, [.text(customer), .text(number)])
            guard let row = locked.first else { return nil }
            let (id, version) = (try row.text("id"), try row.int("binding_version"))
            let before = try Self.bindings(of: id, customer, on: connection)
            var set = BindingSet(before)
            let made = try change(&set)
            let kept = Set(set.bindings.map(\.key))
            for gone in before where !kept.contains(gone.key) { try Self.delete(gone, of: id, customer, on: connection) }
            let known = Dictionary(before.map { ($0.key, $0) }) { _, last in last }
            for binding in set.bindings where known[binding.key] != binding {
                try Self.put(binding, of: id, customer, on: connection)
            }
            for (type, bindings) in Self.news(made) {
                for binding in bindings {
                    let told = Told(
                        extension_id: id, number: number, contact: binding.contact,
                        expires_at: Timestamp(milliseconds: binding.expiresAt), user_agent: binding.userAgent,
                        instance_id: binding.instanceID)
                    try tell(type, of: id, customer, told, on: connection)
                }
            }
            try Self.noteChange(made, of: id, on: connection)
            return Registration(
                extensionID: id, set: set, version: version, doNotDisturb: try row.bool("do_not_disturb"), hasNews: made.isNews)
        }
    }

    /// A refresh is no news: phones renew all the time and nothing changes by it.
    private static func news(_ change: BindingSet.Change) -> [(type: String, bindings: [Binding])] {
        [
            ("registration.expired", change.expired), ("registration.removed", change.removed),
            ("registration.created", change.created), ("registration.unreachable", change.becameUnreachable),
            ("registration.reachable", change.becameReachable),
        ]
    }

    /// Nil: no such extension.
    func registration(customer: String, number: String) async throws -> Registration? {
        try await run { connection in
            let rows = try connection.query(
                "select id, binding_version, do_not_disturb from registrar.extensions where customer_id = $1 and number = $2",
                [.text(customer), .text(number)])
            guard let row = rows.first else { return nil }
            let id = try row.text("id")
            // A change between the two statements makes the set newer than its version says, which does no harm.
            return Registration(
                extensionID: id, set: BindingSet(try Self.bindings(of: id, customer, on: connection)),
                version: try row.int("binding_version"), doNotDisturb: try row.bool("do_not_disturb"))
        }
    }

    /// A binding with the extension it belongs to.
    struct LocatedBinding: Sendable {
        var customerID: String
        var extensionID: String
        var number: String
        var domain: String
        var binding: Binding
    }

    func countBindings(now: Int64) async throws -> Int {
        try await run { connection in
            let rows = try connection.query(
                "select count(*) as count from registrar.bindings where expires_at > to_timestamp($1)",
                [Timestamp(milliseconds: now).parameter])
            return Int(try rows.first?.int("count") ?? 0)
        }
    }

    /// Bindings of all customers in the order of the primary key: only the registrar itself goes through them.
    func bindings(after position: QualifyRound.Position?, now: Int64, limit: Int) async throws -> [LocatedBinding] {
        try await run { connection in
            try connection.query(
                """
                select e.customer_id, e.id, e.number, d.name as domain, \(Self.bindingColumns) from registrar.bindings b
                join registrar.extensions e on e.id = b.extension_id and e.customer_id = b.customer_id
                join registrar.domains d on d.customer_id = e.customer_id
                where b.expires_at > to_timestamp($1) and (b.extension_id, b.key) > ($2, $3)
                order by b.extension_id, b.key limit $4
                """,
                [
                    Timestamp(milliseconds: now).parameter, .text(position?.extensionID ?? ""), .text(position?.key ?? ""), .int(limit),
                ]
            ).map { row in
                LocatedBinding(
                    customerID: try row.text("customer_id"), extensionID: try row.text("id"), number: try row.text("number"),
                    domain: try row.text("domain"), binding: try Self.binding(row))
            }
        }
    }

    /// Extensions that have bindings which have ended.
    func withExpiredBindings(now: Int64, limit: Int) async throws -> [(customer: String, number: String)] {
        try await run { connection in
            try connection.query(
                """
                select distinct e.customer_id, e.number from registrar.bindings b
                join registrar.extensions e on e.id = b.extension_id and e.customer_id = b.customer_id
                where b.expires_at <= to_timestamp($2) limit $1
                """, [.int(limit), Timestamp(milliseconds: now).parameter]
            ).map { (try $0.text("customer_id"), try $0.text("number")) }
        }
    }

    private static func bindings(of id: String, _ customer: String, on connection: Connection) throws -> [Binding] {
        try connection.query(
            "select \(bindingColumns) from registrar.bindings b where extension_id = $1 and customer_id = $2 order by key",
            [.text(id), .text(customer)]
        ).map(binding)
    }

    private static func binding(_ row: Row) throws -> Binding {
        Binding(
            contact: try row.text("contact"), path: try JSONText.decode([String].self, from: Array(try row.text("path").utf8)),
            q: QualityValue(try row.double("q")), expiresAt: try row.int("expires_at"), callID: try row.text("call_id"),
            cseq: UInt32(clamping: try row.int("cseq")), instanceID: try row.optionalText("instance_id"),
            regID: try row.optionalInt("reg_id").map { Int($0) }, userAgent: try row.optionalText("user_agent"),
            registeredAt: try row.int("registered_at"), refreshedAt: try row.int("refreshed_at"),
            generation: try row.optionalInt("generation"), isUnreachable: try row.bool("is_unreachable"))
    }

    private static func put(_ binding: Binding, of id: String, _ customer: String, on connection: Connection) throws {
        let path = String(decoding: try JSONText.encode(binding.path), as: UTF8.self)
        try connection.change(
            """
            insert into registrar.bindings (extension_id, customer_id, contact, path, q, expires_at, call_id, cseq, instance_id,
                reg_id, user_agent, registered_at, refreshed_at, generation, is_unreachable, key)
            values ($1, $2, $3, $4::json, $5, to_timestamp($6), $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            on conflict (extension_id, key) do update set contact = excluded.contact, path = excluded.path, q = excluded.q,
                expires_at = excluded.expires_at, call_id = excluded.call_id, cseq = excluded.cseq,
                instance_id = excluded.instance_id, reg_id = excluded.reg_id, user_agent = excluded.user_agent,
                registered_at = excluded.registered_at, refreshed_at = excluded.refreshed_at, generation = excluded.generation,
                is_unreachable = excluded.is_unreachable
            """,
            [
                .text(id), .text(customer), .text(binding.contact), .text(path), .double(binding.q.value),
                Timestamp(milliseconds: binding.expiresAt).parameter, .text(binding.callID), .int(binding.cseq),
                .optional(binding.instanceID), .optional(binding.regID.map(Int64.init)), .optional(binding.userAgent),
                .int(binding.registeredAt), .int(binding.refreshedAt), .optional(binding.generation), .bool(binding.isUnreachable),
                .text(binding.key),
            ])
    }

    private static func delete(_ binding: Binding, of id: String, _ customer: String, on connection: Connection) throws {
        try connection.change(
            "delete from registrar.bindings where extension_id = $1 and customer_id = $2 and key = $3",
            [.text(id), .text(customer), .text(binding.key)])
    }
}
