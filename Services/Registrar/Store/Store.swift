import Contracts
import Database
import ServiceKit

/// The schema `registrar`: the only place with SQL. Every statement carries the customer's id.
struct Store: Sendable {
    static let schema = "registrar"

    let database: Database
    let runtime: Runtime

    /// One statement, a transaction of its own.
    func run<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        try await translated { try await database.run(body) }
    }

    /// Configuration is on disk before it is acknowledged; bindings, which phones renew, need not be.
    func transaction<T: Sendable>(
        _ durability: Database.Durability, _ body: @escaping @Sendable (Connection) throws -> T
    ) async throws -> T {
        try await translated { try await database.transaction(durability, body) }
    }

    /// Adds an event of an extension to the transaction of its change.
    func tell(_ type: String, of extensionID: String, _ customer: String, _ resource: some Encodable, on connection: Connection) throws {
        try Outbox.add(
            type, of: extensionID, customer: customer, data: try .init(encoding: resource), runtime: runtime,
            schema: Self.schema, on: connection)
    }

    /// The caller of a command learns that trying again may help, and nothing about statements.
    private func translated<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch DatabaseError.unavailable(let reason) {
            throw RPCError(.unavailable, reason)
        }
    }
}

extension Row {
    /// A time that the statement has turned into Unix milliseconds.
    func timestamp(_ column: String) throws(DatabaseError) -> Timestamp { Timestamp(milliseconds: try int(column)) }
}

extension Timestamp {
    /// For `to_timestamp($n)`.
    var parameter: Parameter { .double(Double(milliseconds) / 1_000) }
}
