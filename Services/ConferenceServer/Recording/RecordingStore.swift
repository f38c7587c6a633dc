import Contracts
import Database
import Flow
import FoundationEssentials
import ServiceKit

/// Recordings in PostgreSQL. What customers ask carries their id; what the service looks for itself is of all customers.
struct RecordingStore: Sendable {
    let runtime: Runtime
    private var database: Database { runtime.database }

    /// A recording with what only its keepers need to know.
    struct Kept: Sendable {
        var recording: Recording
        var terms: RecordingTerms
        var instance: String
        var incarnation: String
        var parts: Int
        var location: Location
        var uploadID: String?
    }

    enum Location: String, Sendable { case local, s3 }

    private static let schema = ConferenceStore.schema
    private static let columns = """
        id, customer_id, room_id, call_id, conference_id, participant_id, status, layout, format, terms, instance, incarnation, parts,
        duration_ms, size, sha256, tracks, end_reason, interrupted, location, upload_id,
        (extract(epoch from started_at) * 1000)::bigint as started_ms, (extract(epoch from ended_at) * 1000)::bigint as ended_ms,
        (extract(epoch from stored_at) * 1000)::bigint as stored_ms
        """

    // MARK: What customers ask

    func find(customer: String, id: String) async throws -> Kept? {
        try await database.run { connection in
            try connection.query(
                "select \(Self.columns) from conferences.recordings where customer_id = $1 and id = $2", [.text(customer), .text(id)]
            ).first.map(Self.kept)
        }
    }

    func list(_ command: ListRecordings) async throws -> Page<Recording> {
        let limit = PageRequest(limit: command.page.limit).limit
        let found = try await database.run { connection in
            try connection.query(
                """
                select \(Self.columns) from conferences.recordings
                where customer_id = $1 and ($2::text is null or id < $2) and ($3::text is null or call_id = $3)
                    and ($4::text is null or conference_id = $4) and ($5::text is null or status = $5)
                order by id desc limit $6
                """,
                [
                    .text(command.customerID), .optional(command.page.cursor), .optional(command.callID),
                    .optional(command.conferenceID), .optional(command.status?.rawValue), .int(limit + 1),
                ]
            ).map(Self.kept)
        }.map(\.recording)
        return Page(data: Array(found.prefix(limit)), nextCursor: found.count > limit ? found[limit - 1].id : nil)
    }

    /// Those that go on: one, or all of a call or a conference.
    func live(_ command: ControlRecording) async throws -> [Kept] {
        try await database.run { connection in
            try connection.query(
                """
                select \(Self.columns) from conferences.recordings
                where customer_id = $1 and status in ('recording', 'paused') and ($2::text is null or id = $2)
                    and ($3::text is null or call_id = $3) and ($4::text is null or conference_id = $4)
                order by id desc limit 100
                """,
                [
                    .text(command.customerID), .optional(command.recordingID), .optional(command.callID),
                    .optional(command.conferenceID),
                ]
            ).map(Self.kept)
        }
    }

    // MARK: Its life

    /// Writes it down before its first sound; false when the id is taken.
    func insert(_ recording: Recording, _ terms: RecordingTerms) async throws -> Bool {
        let terms = String(decoding: try JSONEncoder().encode(terms), as: UTF8.self)
        let runtime = runtime
        return try await database.transaction(.durable) { connection in
            let isNew = try connection.change(
                """
                insert into conferences.recordings
                    (id, customer_id, room_id, call_id, conference_id, participant_id, status, layout, format, terms, instance,
                     incarnation, started_at)
                values ($1, $2, $3, $4, $5, $6, 'recording', $7, $8, $9::jsonb, $10, $11, to_timestamp($12 / 1000.0))
                on conflict (id) do nothing
                """,
                [
                    .text(recording.id), .text(recording.customerID), .text(recording.roomID), .optional(recording.callID),
                    .optional(recording.conferenceID), .optional(recording.participantID), .text(recording.layout.rawValue),
                    .text(recording.format.rawValue), .text(terms), .text(runtime.instance), .text(runtime.incarnation),
                    .int(recording.startedAt.milliseconds),
                ]) == 1
            if isNew { try Self.tell("recording.started", recording, runtime, on: connection) }
            return isNew
        }
    }

    /// Nil when it does not go on, or stands so already.
    func pause(_ id: String, customer: String, _ paused: Bool) async throws -> Recording? {
        try await change(
            "recording.\(paused ? "paused" : "resumed")", id, customer,
            "status = $3 where customer_id = $1 and id = $2 and status = $4",
            [.text(paused ? "paused" : "recording"), .text(paused ? "recording" : "paused")])
    }

    /// It has ended, and is not stored yet.
    /// False when it is not this process's: stored, or another's who goes on with it.
    func end(_ id: String, customer: String, _ reason: Recording.End, at time: Timestamp) async throws -> Bool {
        try await change(
            nil, id, customer,
            """
            status = 'storing', end_reason = coalesce(end_reason, $3), ended_at = coalesce(ended_at, to_timestamp($4 / 1000.0))
            where customer_id = $1 and id = $2 and status in ('recording', 'paused', 'storing') and incarnation = $5
            """, [.text(reason.rawValue), .int(time.milliseconds), .text(runtime.incarnation)]) != nil
    }

    /// The last of it, once: nil when it was stored before.
    func finish(_ recording: Recording, location: Location) async throws -> Recording? {
        let tracks = try recording.tracks.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        return try await change(
            recording.status == .stored ? "recording.stored" : "recording.failed", recording.id, recording.customerID,
            """
            status = $3, duration_ms = $4, size = $5, sha256 = $6, tracks = $7::jsonb, end_reason = $8, interrupted = $9,
                location = $10, ended_at = coalesce(ended_at, to_timestamp($11 / 1000.0)), stored_at = to_timestamp($12 / 1000.0),
                upload_id = null
            where customer_id = $1 and id = $2 and status in ('recording', 'paused', 'storing') and incarnation = $13
            """,
            [
                .text(recording.status.rawValue), .optional(recording.durationMS.map { Int64($0) }),
                .optional(recording.size.map { Int64($0) }), .optional(recording.sha256), .optional(tracks),
                .optional(recording.endReason?.rawValue), .bool(recording.interrupted), .text(location.rawValue),
                .int((recording.endedAt ?? runtime.timestamp()).milliseconds), .int(runtime.timestamp().milliseconds),
                .text(runtime.incarnation),
            ])
    }

    func remove(_ recording: Recording) async throws -> Bool {
        let runtime = runtime
        return try await database.transaction(.durable) { connection in
            let isGone = try connection.change(
                "delete from conferences.recordings where customer_id = $1 and id = $2 and status in ('stored', 'failed')",
                [.text(recording.customerID), .text(recording.id)]) == 1
            guard isGone else { return false }
            try Self.tell("recording.deleted", recording, runtime, on: connection)
            // The last there will ever be of it.
            try connection.change("delete from conferences.outbox_sequences where resource_id = $1", [.text(recording.id)])
            return isGone
        }
    }

    private func change(
        _ event: String?, _ id: String, _ customer: String, _ change: String, _ parameters: [Parameter]
    ) async throws -> Recording? {
        let runtime = runtime
        return try await database.transaction(.durable) { connection in
            let row = try connection.query(
                "update conferences.recordings set \(change) returning \(Self.columns)", [.text(customer), .text(id)] + parameters
            ).first
            guard let recording = try row.map(Self.kept)?.recording else { return nil }
            if let event { try Self.tell(event, recording, runtime, on: connection) }
            return recording
        }
    }

    private static func tell(_ type: String, _ recording: Recording, _ runtime: Runtime, on connection: Connection) throws {
        try Outbox.add(
            type, of: recording.id, customer: recording.customerID, data: .init(encoding: recording), runtime: runtime, schema: schema,
            on: connection)
    }

    // MARK: What the service looks for

    /// Not finished, and of other processes than this.
    func unfinished() async throws -> [Kept] {
        let own = runtime.incarnation
        return try await database.run { connection in
            try connection.query(
                """
                select \(Self.columns) from conferences.recordings
                where status in ('recording', 'paused', 'storing') and incarnation <> $1 order by id limit 1000
                """, [.text(own)]
            ).map(Self.kept)
        }
    }

    /// Makes this process the keeper of a recording whose keeper has died; false when another was quicker. With `goesOn` it is recorded
    /// further, as a new part.
    func claim(_ kept: Kept, goesOn: Bool = false) async throws -> Bool {
        let runtime = runtime
        return try await database.transaction(.durable) { connection in
            try connection.change(
                """
                update conferences.recordings set instance = $3, incarnation = $4, parts = parts + $5
                where id = $1 and incarnation = $2 and status = any($6::text[])
                """,
                [
                    .text(kept.recording.id), .text(kept.incarnation), .text(runtime.instance), .text(runtime.incarnation),
                    .int(goesOn ? 1 : 0), .texts(goesOn ? ["recording", "paused"] : ["recording", "paused", "storing"]),
                ]) == 1
        }
    }

    func note(upload: String?, of id: String) async throws {
        _ = try await database.transaction(.durable) { connection in
            try connection.change(
                "update conferences.recordings set upload_id = $2 where id = $1", [.text(id), .optional(upload)])
        }
    }

    /// Stored before then: whose time is over.
    func older(than time: Timestamp) async throws -> [Kept] {
        try await database.run { connection in
            try connection.query(
                """
                select \(Self.columns) from conferences.recordings
                where status in ('stored', 'failed') and stored_at < to_timestamp($1 / 1000.0) order by stored_at limit 100
                """, [.int(time.milliseconds)]
            ).map(Self.kept)
        }
    }

    private static func kept(_ row: Row) throws -> Kept {
        var recording = Recording(
            id: try row.text("id"), customerID: try row.text("customer_id"),
            status: try known(Recording.Status(rawValue: row.text("status")), "status"),
            layout: try known(RecordingTerms.Layout(rawValue: row.text("layout")), "layout"),
            format: try known(RecordingTerms.Format(rawValue: row.text("format")), "format"), roomID: try row.text("room_id"),
            startedAt: Timestamp(milliseconds: try row.int("started_ms")))
        recording.callID = try row.optionalText("call_id")
        recording.conferenceID = try row.optionalText("conference_id")
        recording.participantID = try row.optionalText("participant_id")
        recording.durationMS = try row.optionalInt("duration_ms").map { Int($0) }
        recording.size = try row.optionalInt("size").map { Int($0) }
        recording.sha256 = try row.optionalText("sha256")
        recording.endReason = try row.optionalText("end_reason").flatMap(Recording.End.init)
        recording.interrupted = try row.bool("interrupted")
        recording.endedAt = try row.optionalInt("ended_ms").map { Timestamp(milliseconds: $0) }
        recording.storedAt = try row.optionalInt("stored_ms").map { Timestamp(milliseconds: $0) }
        if let tracks = try row.optionalText("tracks") {
            recording.tracks = try JSONDecoder().decode([RecordingTrack].self, from: Data(tracks.utf8))
        }
        return Kept(
            recording: recording, terms: try JSONDecoder().decode(RecordingTerms.self, from: Data(try row.text("terms").utf8)),
            instance: try row.text("instance"), incarnation: try row.text("incarnation"), parts: Int(try row.int("parts")),
            location: try known(Location(rawValue: row.text("location")), "location"), uploadID: try row.optionalText("upload_id"))
    }

    private static func known<Value>(_ value: Value?, _ column: String) throws(DatabaseError) -> Value {
        guard let value else { throw .unexpectedResult("the column \(column) holds a word of a newer version") }
        return value
    }
}
