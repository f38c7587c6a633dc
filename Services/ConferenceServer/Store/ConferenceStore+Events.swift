import Contracts
import Database
import ServiceKit

// What the world is told of conferences.
extension ConferenceStore {
    /// Tells that somebody came to a conference, or left it.
    func record(_ type: String, _ participant: Participant, of room: RoomIdentity) async throws {
        guard let conference = room.conferenceID else { return }
        let (runtime, member) = (runtime, ConferenceMember(participant: participant, conferenceID: conference))
        try await database.transaction(.relaxed) { connection in
            try Outbox.add(
                type, of: conference, customer: room.customerID, data: .init(encoding: member), runtime: runtime,
                schema: Self.schema,
                on: connection)
        }
    }

    /// Tells that something is heard in a conference, or no more.
    func record(_ event: PlayEvents.Event) async throws {
        guard let conference = event.room.conferenceID else { return }
        let (runtime, play) = (runtime, ConferencePlay(event, conferenceID: conference))
        try await database.transaction(.relaxed) { connection in
            try Outbox.add(
                event.end == nil ? "conference.play_started" : "conference.play_finished", of: conference,
                customer: event.room.customerID, data: .init(encoding: play), runtime: runtime, schema: Self.schema,
                on: connection)
        }
    }
}

/// What an event says of a participant: as the API shows it, and where.
private struct ConferenceMember: Encodable {
    let participant: Participant
    let conferenceID: String

    private enum CodingKeys: String, CodingKey { case conferenceID = "conference_id" }

    func encode(to encoder: any Encoder) throws {
        try participant.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(conferenceID, forKey: .conferenceID)
    }
}

/// What an event says of a play.
private struct ConferencePlay: Encodable {
    let conferenceID: String
    /// Nil: everybody hears it.
    let participantID: String?
    let playID: String
    /// In ms from the beginning of its sound.
    let position: Int
    let reason: String?
    let detail: String?

    init(_ event: PlayEvents.Event, conferenceID: String) {
        self.conferenceID = conferenceID
        (participantID, playID, position) = (event.participantID, event.playID, event.milliseconds)
        (reason, detail) = (event.end?.told.0.rawValue, event.end?.told.detail)
    }

    private enum CodingKeys: String, CodingKey {
        case position, reason, detail
        case conferenceID = "conference_id"
        case participantID = "participant_id"
        case playID = "play_id"
    }
}
