import Bus
import Contracts
import Database
import Flow
import FoundationEssentials
import ServiceKit

/// The schema `flows`: the only place with SQL. Every statement carries the customer's id.
struct Store: Sendable {
    static let schema = "flows"

    static var migrations: [Migration] {
        [
            Migration(number: 1, name: "flows", sql: PackageResources._001_flows_sql), Outbox.migration(number: 2),
            Migration(number: 3, name: "voicemails", sql: PackageResources._003_voicemails_sql),
            Migration(number: 4, name: "parked_calls", sql: PackageResources._004_parked_calls_sql),
            Migration(number: 5, name: "webhooks", sql: PackageResources._005_webhooks_sql),
            Migration(number: 6, name: "mailboxes", sql: PackageResources._006_mailboxes_sql),
            Migration(number: 7, name: "aftermaths", sql: PackageResources._007_aftermaths_sql), Lives.migration(number: 8),
            Migration(number: 9, name: "recollected", sql: PackageResources._009_recollected_sql),
            Migration(number: 10, name: "taken_at", sql: PackageResources._010_taken_at_sql),
        ]
    }

    let database: Database

    var lives: Lives { Lives(database, schema: Self.schema) }

    /// Statements are transactions of their own here; one that need not wait for the disk says so in itself.
    func run<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        try await translated { try await database.run(body) }
    }

    func durably<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        try await translated { try await database.transaction(.durable, body) }
    }

    /// The caller of a command learns that trying again may help, and nothing about statements.
    private func translated<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch DatabaseError.unavailable(let reason) {
            throw RPCError(.unavailable, reason)
        } catch let error as DatabaseError where error.isConflict {
            throw RPCError(.unavailable, "others change the same")
        }
    }

}

extension Row {
    /// A time that the statement has turned into Unix milliseconds.
    func timestamp(_ column: String) throws(DatabaseError) -> Timestamp { Timestamp(milliseconds: try int(column)) }

    func document(_ column: String) throws -> JSONValue {
        // What was stored was within these bounds when it came in, and what we have written since is ours.
        try JSONValue(json: try text(column), limits: JSONLimits(bytes: .max, depth: 64))
    }
}

extension Timestamp {
    /// For `to_timestamp($n)`.
    var parameter: Parameter { .double(Double(milliseconds) / 1_000) }
}
