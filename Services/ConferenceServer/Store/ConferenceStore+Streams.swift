import Contracts
import Database
import MediaStream
import ServiceKit

// What the world is told of media streams: events of the stream itself.
extension ConferenceStore {
    func record(_ told: MediaStreams.Told) async throws {
        let (runtime, event) = (runtime, StreamEvent(told))
        try await database.transaction(.relaxed) { connection in
            try Outbox.add(
                told.type, of: told.request.stream.id, customer: told.request.customerID, data: .init(encoding: event),
                runtime: runtime, schema: Self.schema, on: connection)
        }
    }
}

extension MediaStreams.Told {
    var type: String {
        switch news {
        case .started: "stream.started"
        case .reconnecting: "stream.reconnecting"
        case .stopped: "stream.stopped"
        case .failed: "stream.failed"
        }
    }

    /// One that goes with its call's place is begun anew where the call sits next.
    var isOverForItsCall: Bool {
        guard case .stopped(let reason, _) = news else { return news.isLast }
        return reason != StreamLine.End.participantLeft.name && reason != StreamLine.End.roomEnded.name
    }
}

private struct StreamEvent: Encodable {
    let id: String
    let callID: String?
    let conferenceID: String?
    let roomID: String
    /// Without its query, which may hold a secret.
    let url: String
    let format: String
    let encapsulation: String
    var reason: String?
    var connections: Int?
    /// In ms.
    var droppedOut: Int?
    var droppedIn: Int?
    var malformed: Int?

    init(_ told: MediaStreams.Told) {
        let stream = told.request.stream
        (id, callID, conferenceID, roomID) = (stream.id, told.request.callID, told.conferenceID, told.request.roomID)
        url = String(stream.url.prefix { $0 != "?" })
        (format, encapsulation) = (stream.format, stream.encapsulation.rawValue)
        switch told.news {
        case .started: break
        case .reconnecting(let reason): self.reason = reason
        case .stopped(let reason, let figures), .failed(let reason, let figures):
            self.reason = reason
            (connections, malformed) = (figures.connections, figures.malformed)
            (droppedOut, droppedIn) = (figures.droppedOut * 20, figures.droppedIn / 8)
        }
    }

    private enum CodingKeys: String, CodingKey {
        case id, url, format, encapsulation, reason, connections, malformed
        case callID = "call_id"
        case conferenceID = "conference_id"
        case roomID = "room_id"
        case droppedOut = "dropped_out_ms"
        case droppedIn = "dropped_in_ms"
    }
}
