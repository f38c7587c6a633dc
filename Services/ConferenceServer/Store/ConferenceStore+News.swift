import Contracts
import Database
import ServiceKit

// Events about conferences. All are the conference's, those about participants as well: so they keep one order, and what is
// kept to count them does not grow with everybody who ever came.
extension ConferenceStore {
    func record(_ news: [ConferenceNews]) async throws {
        let runtime = runtime
        try await runtime.database.transaction(.relaxed) { connection in
            for item in news {
                guard let conference = item.room.conferenceID else { continue }
                for type in item.types {
                    try Outbox.add(
                        type, of: conference, customer: item.room.customerID, data: .init(encoding: Told(item, conference)),
                        runtime: runtime, schema: Self.schema, on: connection)
                }
            }
        }
    }
}

extension ConferenceNews {
    fileprivate var types: [String] {
        switch kind {
        case .started: ["conference.started"]
        case .ended: ["conference.ended"]
        case .locked(let locked): [locked ? "conference.locked" : "conference.unlocked"]
        case .joined: ["conference.joined", "participant.joined"]
        case .admitted: ["participant.admitted"]
        case .left: ["conference.left", "participant.left"]
        case .muted: ["participant.muted"]
        case .talking: ["participant.talking"]
        case .handRaised: ["participant.hand_raised"]
        case .role: ["participant.role"]
        case .speaker: ["conference.speaker_changed"]
        }
    }
}

/// What an event says of a participant: as the API shows it, and where; of a conference that it is it.
private struct Told: Encodable {
    let participant: Participant?
    let conference: String
    let room: String

    init(_ news: ConferenceNews, _ conference: String) {
        (participant, room, self.conference) = (news.participant, news.room.id, conference)
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case conferenceID = "conference_id"
        case roomID = "room_id"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if let participant {
            try participant.encode(to: encoder)
        } else {
            try container.encode(conference, forKey: .id)
        }
        try container.encode(conference, forKey: .conferenceID)
        try container.encode(room, forKey: .roomID)
    }
}
