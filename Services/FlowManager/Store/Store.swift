import Bus
import Contracts
import Database
import Flow
import FoundationEssentials

/// The schema `flows`: the only place with SQL. Every statement carries the customer's id.
struct Store: Sendable {
    static let schema = "flows"

    let database: Database

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
        }
    }

    static func json(_ events: [Event]) throws -> Parameter {
        let encoder = JSONEncoder()
        return .texts(try events.map { String(decoding: try encoder.encode($0), as: UTF8.self) })
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
