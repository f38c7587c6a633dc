import Contracts
import Database
import ServiceKit

/// Domains: each customer has one, and whether its phones are let in.
extension Store {
    /// False when another customer has the domain, or the customer has extensions in another domain: their HA1 hold its name.
    func putDomain(_ name: String, customer: String, isSuspended: Bool?) async throws -> Bool {
        let suspended: Parameter = isSuspended.map(Parameter.bool) ?? .null
        do {
            return try await transaction(.durable) { connection in
                let rows = try connection.query("select 1 from registrar.domains where customer_id = $1 for update", [.text(customer)])
                guard !rows.isEmpty else {
                    try connection.change(
                        "insert into registrar.domains (name, customer_id, is_suspended) values ($1, $2, coalesce($3::boolean, false))",
                        [.text(name), .text(customer), suspended])
                    return true
                }
                return try connection.change(
                    """
                    update registrar.domains set name = $1, is_suspended = coalesce($3::boolean, is_suspended) where customer_id = $2
                        and (name = $1 or not exists (select 1 from registrar.extensions where customer_id = $2))
                    """, [.text(name), .text(customer), suspended]) == 1
            }
        } catch DatabaseError.uniqueViolation { return try await domain(of: customer) == name }
    }

    func hasDomain(_ name: String) async throws -> Bool {
        try await run { connection in
            try connection.query("select 1 from registrar.domains where name = $1", [.text(name)]).first != nil
        }
    }

    func domain(of customer: String) async throws -> String? {
        try await run { connection in
            try connection.query("select name from registrar.domains where customer_id = $1", [.text(customer)]).first?.text("name")
        }
    }

    /// Takes everything of a customer away; the numbers it had.
    func removeDomain(of customer: String) async throws -> [String] {
        try await transaction(.durable) { connection in
            // In the order of their ids, as every writer of several does, so that two cannot wait for each other.
            let rows = try connection.query(
                "select \(Self.extensionColumns) from \(Self.extensionTables) where e.customer_id = $1 order by e.id for update of e", [.text(customer)])
            let extensions = try rows.map(Self.extensionRecord)
            for each in extensions {
                try tell("extension.deleted", of: each.id, customer, each, on: connection)
                try Self.endWatching(of: each.id, on: connection)
            }
            try connection.change("delete from registrar.extensions where customer_id = $1", [.text(customer)])
            try connection.change("delete from registrar.domains where customer_id = $1", [.text(customer)])
            return extensions.map(\.number)
        }
    }
}
