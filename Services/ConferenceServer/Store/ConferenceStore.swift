import Contracts
import Database
import ServiceKit

/// Conferences and the events about them in PostgreSQL; every query carries the customer's id.
struct ConferenceStore: Sendable {
    static let schema = "conferences"

    let runtime: Runtime
    var database: Database { runtime.database }

    private static let columns = """
        id, customer_id, name, number, pin, max_participants,
        (extract(epoch from created_at) * 1000)::bigint as created_ms,
        (extract(epoch from updated_at) * 1000)::bigint as updated_ms
        """

    // MARK: Conferences

    func create(_ conference: Conference) async throws {
        try await numbered {
            try await database.transaction(.durable) { connection in
                _ = try connection.change(
                    """
                    insert into conferences.conferences
                        (id, customer_id, name, number, pin, max_participants, created_at, updated_at)
                    values ($1, $2, $3, $4, $5, $6, to_timestamp($7 / 1000.0), to_timestamp($8 / 1000.0))
                    """,
                    [
                        .text(conference.id), .text(conference.customerID), .text(conference.name),
                        .optional(conference.number),
                        .optional(conference.pin), .int(conference.maxParticipants), .int(conference.createdAt.milliseconds),
                        .int(conference.updatedAt.milliseconds),
                    ])
            }
        }
    }

    func find(customer: String, id: String) async throws -> Conference? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.columns) from conferences.conferences where customer_id = $1 and id = $2",
                [.text(customer), .text(id)]
            ).first.map(Self.conference)
        }
    }

    func find(customer: String, number: String) async throws -> Conference? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.columns) from conferences.conferences where customer_id = $1 and number = $2",
                [.text(customer), .text(number)]
            ).first.map(Self.conference)
        }
    }

    /// Newest first; one more than the limit tells that there is a next page.
    func list(customer: String, page: PageRequest, number: String?) async throws -> Page<Conference> {
        let limit = PageRequest(limit: page.limit).limit
        let found = try await database.run { connection in
            try connection.query(
                """
                select \(Self.columns) from conferences.conferences
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or number = $3)
                order by id desc limit $4
                """,
                [.text(customer), .optional(page.cursor), .optional(number), .int(limit + 1)]
            ).map(Self.conference)
        }
        return Page(data: Array(found.prefix(limit)), nextCursor: found.count > limit ? found[limit - 1].id : nil)
    }

    func update(_ conference: Conference) async throws -> Bool {
        try await numbered {
            try await database.transaction(.durable) { connection in
                try connection.change(
                    """
                    update conferences.conferences set name = $3, number = $4, pin = $5, max_participants = $6,
                        updated_at = to_timestamp($7 / 1000.0)
                    where customer_id = $1 and id = $2
                    """,
                    [
                        .text(conference.customerID), .text(conference.id), .text(conference.name),
                        .optional(conference.number),
                        .optional(conference.pin), .int(conference.maxParticipants), .int(conference.updatedAt.milliseconds),
                    ]) == 1
            }
        }
    }

    func delete(customer: String, id: String) async throws -> Bool {
        try await database.transaction(.durable) { connection in
            try connection.change(
                "delete from conferences.conferences where customer_id = $1 and id = $2", [.text(customer), .text(id)]) == 1
        }
    }

    private func numbered<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch DatabaseError.uniqueViolation("conferences_number") {
            throw RPCError(
                .conflict, "another conference has this number",
                problems: [Problem(pointer: "/number", code: "taken", detail: "another conference has this number")])
        }
    }

    private static func conference(_ row: Row) throws -> Conference {
        Conference(
            id: try row.text("id"), customerID: try row.text("customer_id"), name: try row.text("name"),
            number: try row.optionalText("number"), pin: try row.optionalText("pin"),
            maxParticipants: Int(try row.int("max_participants")),
            createdAt: Timestamp(milliseconds: try row.int("created_ms")),
            updatedAt: Timestamp(milliseconds: try row.int("updated_ms")))
    }
}
