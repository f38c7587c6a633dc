import Contracts
import Deadlines

/// What a successor must know of a room beside its seats: deposited whenever it changes.
struct RoomRecord: Codable, Sendable {
    var identity: RoomIdentity
    /// Its place on the shelf, and which room of that place it is.
    var place: Int
    var number: UInt64
    var plays: PlayQueueRecord
    var meeting: Meeting?
    var ended: RecentNames
    var stoppedEarly: RecentNames
    var operations: RecentNames
    var link: RoomLink?
    /// What is recorded, and how far that had come at this tick.
    var recordings: [RecordingPosition]?
    var tick: UInt64?
    /// Sockets that are to be connected anew.
    var streams: [RoomSnapshot.StreamMember]?
}

/// The same of a seat.
struct SeatRecord: Codable, Sendable {
    var room: String
    var settings: ParticipantSettings
    var joinedAt: Timestamp
    /// Its slot is in it.
    var ssrc: UInt32
    var attendance: Attendance
    var plays: PlayQueueRecord
    var digits: DigitSender.Record
    /// In ticks.
    var takenAt: UInt64
    var ownedAt: UInt64
    /// Unless it is the common one.
    var direction: Direction?
    /// What is listened for.
    var watches: [Watch]?

    var slot: Int { Int(ssrc & 0xffff) }
}

struct PlayQueueRecord: Codable, Sendable {
    var plays: [PlayRecord] = []
    var background: [PlayRecord] = []

    var isEmpty: Bool { plays.isEmpty && background.isEmpty }
    var all: [PlayRecord] { plays + background }
}

/// A play as it was when it last changed otherwise than by being heard.
struct PlayRecord: Codable, Sendable {
    var request: PlayInRoom
    var number: UInt64
    /// In samples from the beginning of its sound.
    var place: Int
    /// Nil: for ever.
    var passesLeft: Int?
    var isPaused: Bool
    var hasBegun: Bool
    /// In dB.
    var volume: Double
}

extension PlayQueue {
    var record: PlayQueueRecord { PlayQueueRecord(plays: plays.map(\.record), background: background.map(\.record)) }

    /// Those in front are where the marks say: they have been heard since.
    init(_ record: PlayQueueRecord, heard: PlayMark, background mark: PlayMark) {
        self.init(plays: record.plays.map { Play($0, at: heard) }, background: record.background.map { Play($0, at: mark) })
    }
}

extension DigitSender {
    /// Those that have not begun.
    struct Record: Codable, Sendable {
        var codes: [UInt8]
        var duration: Int
        var pauseTicks: Int
    }
}
