import Contracts
import Logging

/// What became of plays, on its way out of the media threads: the room's snapshot is written anew, and of a conference the
/// world is told.
final class PlayEvents: Sendable {
    struct Event: Sendable {
        let room: RoomIdentity
        let participantID: String?
        let playID: String
        let end: Play.End?
        let milliseconds: Int
    }

    /// Beyond it nobody is told: the database is away, and a conference goes on without.
    private static let queueLimit = 1024

    private let events: AsyncStream<Event>
    private let queue: AsyncStream<Event>.Continuation

    init() {
        (events, queue) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingOldest(Self.queueLimit))
    }

    /// Any thread; never waits.
    func note(_ room: RoomIdentity, participantID: String?, playID: String, _ end: Play.End?, milliseconds: Int) {
        queue.yield(Event(room: room, participantID: participantID, playID: playID, end: end, milliseconds: milliseconds))
    }

    /// Runs until its task is cancelled.
    func run(_ snapshots: RoomSnapshots, _ store: ConferenceStore, wake: @Sendable () -> Void, _ logger: Logger) async {
        for await event in events {
            snapshots.note(event.room.id)
            guard event.room.conferenceID != nil else { continue }
            do {
                try await store.record(event)
                wake()
            } catch {
                logger.error("an event of a play could not be recorded: \(error)", metadata: ["room": "\(event.room.id)"])
            }
        }
    }
}
