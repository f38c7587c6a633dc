import Contracts
import Database
import FoundationEssentials
import JSONCoding
import ServiceKit

/// Conferences in PostgreSQL; every query carries the customer's id.
struct ConferenceStore: Sendable {
    static let schema = "conferences"

    let runtime: Runtime
    var database: Database { runtime.database }

    let pins: SealedPIN

    private static let columns = """
        id, customer_id, name, number, pin, sealed_pin, sealed_moderator_pin, max_participants, wait_for_moderator, entry_tone,
        exit_tone, mute_on_entry, end_when_moderator_leaves, locked, digit_controls, speaker_events,
        announce, language, music_on_hold, prompts,
        (extract(epoch from created_at) * 1000)::bigint as created_ms,
        (extract(epoch from updated_at) * 1000)::bigint as updated_ms
        """

    init(runtime: Runtime) {
        self.runtime = runtime
        pins = SealedPIN(key: runtime.key(for: SealedPIN.purpose))
    }

    // MARK: Conferences

    func create(_ conference: Conference) async throws {
        let parameters = try parameters(of: conference) + [.int(conference.createdAt.milliseconds)]
        try await numbered {
            try await database.transaction(.durable) { connection in
                _ = try connection.change(
                    """
                    insert into conferences.conferences
                        (customer_id, id, name, number, sealed_pin, sealed_moderator_pin, max_participants, wait_for_moderator,
                         entry_tone, exit_tone, mute_on_entry, end_when_moderator_leaves, locked, digit_controls, speaker_events,
                         announce, language, music_on_hold, prompts, updated_at, created_at)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19::jsonb,
                            to_timestamp($20 / 1000.0), to_timestamp($21 / 1000.0))
                    """, parameters)
            }
        }
    }

    func find(customer: String, id: String) async throws -> Conference? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.columns) from conferences.conferences where customer_id = $1 and id = $2",
                [.text(customer), .text(id)]
            ).first.map(conference)
        }
    }

    func find(customer: String, number: String) async throws -> Conference? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.columns) from conferences.conferences where customer_id = $1 and number = $2",
                [.text(customer), .text(number)]
            ).first.map(conference)
        }
    }

    /// Newest first; one more than the limit tells that there is a next page.
    func list(customer: String, page: PageRequest, number: String?, name: String?) async throws -> Page<Conference> {
        let limit = PageRequest(limit: page.limit).limit
        let found = try await database.run { connection in
            try connection.query(
                """
                select \(Self.columns) from conferences.conferences
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or number = $3)
                    and ($4::text is null or name = $4)
                order by id desc limit $5
                """,
                [.text(customer), .optional(page.cursor), .optional(number), .optional(name), .int(limit + 1)]
            ).map(conference)
        }
        return Page(data: Array(found.prefix(limit)), nextCursor: found.count > limit ? found[limit - 1].id : nil)
    }

    func update(_ conference: Conference) async throws -> Bool {
        let parameters = try parameters(of: conference)
        return try await numbered {
            try await database.transaction(.durable) { connection in
                try connection.change(
                    """
                    update conferences.conferences set name = $3, number = $4, pin = null, sealed_pin = $5,
                        sealed_moderator_pin = $6, max_participants = $7, wait_for_moderator = $8, entry_tone = $9,
                        exit_tone = $10, mute_on_entry = $11, end_when_moderator_leaves = $12, locked = $13,
                        digit_controls = $14, speaker_events = $15, announce = $16, language = $17, music_on_hold = $18,
                        prompts = $19::jsonb, updated_at = to_timestamp($20 / 1000.0)
                    where customer_id = $1 and id = $2
                    """, parameters) == 1
            }
        }
    }

    /// What `$1` to `$20` are where a conference is written.
    private func parameters(of conference: Conference) throws -> [Parameter] {
        let policy = conference.policy
        return [
            .text(conference.customerID), .text(conference.id), .text(conference.name), .optional(conference.number),
            try pins.seal(conference.pin, .member, of: conference.id).map { .bytes($0) } ?? .null,
            try pins.seal(conference.moderatorPIN, .moderator, of: conference.id).map { .bytes($0) } ?? .null,
            .int(conference.maxParticipants), .bool(policy.waitForModerator), .bool(policy.entryTone), .bool(policy.exitTone),
            .bool(policy.muteOnEntry), .bool(policy.endWhenModeratorLeaves), .bool(policy.locked), .bool(policy.digitControls),
            .bool(policy.speakerEvents), .text(policy.announce.rawValue), .optional(policy.language), .bool(policy.musicOnHold),
            .optional(try policy.prompts.map { String(decoding: try JSONText.encode($0), as: UTF8.self) }),
            .int(conference.updatedAt.milliseconds),
        ]
    }

    /// PINs from before they were sealed.
    func sealOldPINs() async throws {
        try await database.transaction(.durable) { connection in
            let rows = try connection.query("select id, pin from conferences.conferences where pin is not null for update")
            for row in rows {
                let (id, pin) = (try row.text("id"), try row.text("pin"))
                guard let sealed = try pins.seal(pin, .member, of: id) else { continue }
                _ = try connection.change(
                    "update conferences.conferences set pin = null, sealed_pin = $2 where id = $1", [.text(id), .bytes(sealed)])
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

    private func conference(_ row: Row) throws -> Conference {
        let id = try row.text("id")
        var conference = Conference(
            id: id, customerID: try row.text("customer_id"), name: try row.text("name"),
            number: try row.optionalText("number"),
            pin: try pins.open(row.optionalBytes("sealed_pin"), .member, of: id) ?? row.optionalText("pin"),
            maxParticipants: Int(try row.int("max_participants")),
            createdAt: Timestamp(milliseconds: try row.int("created_ms")),
            updatedAt: Timestamp(milliseconds: try row.int("updated_ms")))
        conference.moderatorPIN = try pins.open(row.optionalBytes("sealed_moderator_pin"), .moderator, of: id)
        conference.policy = try policy(row)
        return conference
    }

    private func policy(_ row: Row) throws -> ConferencePolicy {
        var policy = ConferencePolicy()
        policy.waitForModerator = try row.bool("wait_for_moderator")
        policy.entryTone = try row.bool("entry_tone")
        policy.exitTone = try row.bool("exit_tone")
        policy.muteOnEntry = try row.bool("mute_on_entry")
        policy.endWhenModeratorLeaves = try row.bool("end_when_moderator_leaves")
        policy.locked = try row.bool("locked")
        policy.digitControls = try row.bool("digit_controls")
        policy.speakerEvents = try row.bool("speaker_events")
        policy.announce = ConferencePolicy.Announcing(rawValue: try row.text("announce")) ?? .none
        policy.language = try row.optionalText("language")
        policy.musicOnHold = try row.bool("music_on_hold")
        policy.prompts = try row.optionalText("prompts").map { try JSONText.decode(ConferencePrompts.self, from: Array($0.utf8)) }
        return policy
    }
}
