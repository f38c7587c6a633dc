/// What a recording is to be: how its channels lie, and what ends it by itself.
public struct RecordingTerms: Codable, Sendable, Equatable {
    public enum Layout: String, Codable, Sendable, CaseIterable {
        /// One channel: all that is said and played. Of a participant: what it says and what it hears.
        case mixed
        /// What the participant says is left, what it hears right.
        case stereo
        /// A file for each participant, all of one length, so that they stay in step.
        case tracks
    }

    /// `wav`: linear, 16 bits, 8 kHz. `ogg`: Opus in Ogg.
    public enum Format: String, Codable, Sendable, CaseIterable { case wav, ogg }

    public var layout = Layout.mixed
    public var format = Format.wav
    /// The longest it may be, in seconds; never longer than the operator allows.
    public var seconds: Int?
    /// Ends after so many seconds in which nobody speaks.
    public var endOfSilence: Int?
    /// Any of these keys ends it.
    public var endKeys: String?
    /// Those who are recorded hear a tone when it begins.
    public var beep: Bool?
    /// False: keys are silence.
    public var digits: Bool?

    public init(layout: Layout = .mixed, format: Format = .wav) { (self.layout, self.format) = (layout, format) }
}

/// A recording, as the API and its events show it.
public struct Recording: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable, CaseIterable {
        case recording, paused
        /// It has ended, and is on its way to where it is kept.
        case storing
        case stored, failed

        public var isLive: Bool { self == .recording || self == .paused }
    }

    /// Why it ended: `stopped`, `duration`, `silence`, `key`, `left`, `room_ended`, `interrupted` or `failed`.
    public enum End: String, Codable, Sendable, CaseIterable {
        case stopped, duration, silence, key, left, interrupted, failed
        case roomEnded = "room_ended"
    }

    public var id: String
    public var customerID: String
    public var status: Status
    public var layout: RecordingTerms.Layout
    public var format: RecordingTerms.Format
    public var roomID: String
    public var callID: String?
    public var conferenceID: String?
    /// Nil: of the whole room.
    public var participantID: String?
    public var durationMS: Int?
    /// Of the file as it is downloaded; of tracks, the sum.
    public var size: Int?
    /// Of the file as it is downloaded; of tracks, that of their manifest.
    public var sha256: String?
    public var endReason: End?
    /// The process that made it died: what came after that is not in it.
    public var interrupted = false
    public var tracks: [RecordingTrack]?
    public var startedAt: Timestamp
    public var endedAt: Timestamp?
    public var storedAt: Timestamp?

    public init(
        id: String, customerID: String, status: Status, layout: RecordingTerms.Layout, format: RecordingTerms.Format, roomID: String,
        startedAt: Timestamp
    ) {
        (self.id, self.customerID, self.status, self.layout, self.format) = (id, customerID, status, layout, format)
        (self.roomID, self.startedAt) = (roomID, startedAt)
    }

    private enum CodingKeys: String, CodingKey {
        case id, status, layout, format, size, sha256, interrupted, tracks
        case customerID = "customer_id"
        case roomID = "room_id"
        case callID = "call_id"
        case conferenceID = "conference_id"
        case participantID = "participant_id"
        case durationMS = "duration_ms"
        case endReason = "end_reason"
        case startedAt = "started_at"
        case endedAt = "ended_at"
        case storedAt = "stored_at"
    }
}

/// One participant's file of a recording with the layout `tracks`.
public struct RecordingTrack: Codable, Sendable, Equatable {
    /// Counts from 1.
    public var track: Int
    public var participantID: String
    public var callID: String
    public var size: Int
    public var sha256: String

    public init(track: Int, participantID: String, callID: String, size: Int = 0, sha256: String = "") {
        (self.track, self.participantID, self.callID) = (track, participantID, callID)
        (self.size, self.sha256) = (size, sha256)
    }

    private enum CodingKeys: String, CodingKey {
        case track, size, sha256
        case participantID = "participant_id"
        case callID = "call_id"
    }
}

/// Begins a recording in a room; the same id again tells how it stands. Any instance may be asked: the one that hosts the room does it.
///
/// With a participant, or a call that sits in the room, it is of that one; else of the whole room.
public struct StartRecording: Command, Equatable {
    public typealias Reply = Recording
    public static let name = "recording.start"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var recordingID: String
    public var roomID: String
    public var callID: String?
    public var conferenceID: String?
    public var participantID: String?
    public var terms: RecordingTerms

    public init(
        customerID: String, recordingID: String, roomID: String, callID: String? = nil, conferenceID: String? = nil,
        participantID: String? = nil, terms: RecordingTerms
    ) {
        (self.customerID, self.recordingID, self.roomID, self.callID) = (customerID, recordingID, roomID, callID)
        (self.conferenceID, self.participantID, self.terms) = (conferenceID, participantID, terms)
    }
}

/// Ends, pauses or resumes a recording, or all that go on of a call or a conference; what is so already stays so.
/// `not_found` when there is none.
public struct ControlRecording: Command {
    public typealias Reply = Page<Recording>
    public static let name = "recording.control"
    public static let service = ServiceName.conferenceServer

    public enum Change: String, Codable, Sendable, CaseIterable { case stop, pause, resume }

    public var customerID: String
    public var recordingID: String?
    public var callID: String?
    public var conferenceID: String?
    public var change: Change

    public init(customerID: String, recordingID: String? = nil, callID: String? = nil, conferenceID: String? = nil, change: Change) {
        (self.customerID, self.recordingID, self.callID) = (customerID, recordingID, callID)
        (self.conferenceID, self.change) = (conferenceID, change)
    }
}

public struct GetRecording: Command {
    public typealias Reply = Recording
    public static let name = "recording.get"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

public struct ListRecordings: Command {
    public typealias Reply = Page<Recording>
    public static let name = "recording.list"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var page: PageRequest
    public var callID: String?
    public var conferenceID: String?
    public var status: Recording.Status?

    public init(
        customerID: String, page: PageRequest, callID: String? = nil, conferenceID: String? = nil, status: Recording.Status? = nil
    ) {
        (self.customerID, self.page, self.callID) = (customerID, page, callID)
        (self.conferenceID, self.status) = (conferenceID, status)
    }
}

/// Removes a recording and its sound; `conflict` while it goes on.
public struct DeleteRecording: Command {
    public typealias Reply = Done
    public static let name = "recording.delete"
    public static let service = ServiceName.conferenceServer
    public var customerID: String
    public var id: String

    public init(customerID: String, id: String) { (self.customerID, self.id) = (customerID, id) }
}

/// Reads a piece of a stored recording: as it is downloaded, whatever protects it where it lies.
public struct ReadRecording: Command {
    public static let name = "recording.read"
    public static let service = ServiceName.conferenceServer
    /// The longest piece that is given.
    public static let longestPiece = 256 << 10

    public var customerID: String
    public var id: String
    /// Which file of a recording with tracks; nil: the manifest of these, or the only file.
    public var track: Int?
    public var offset: Int
    public var length: Int

    public init(customerID: String, id: String, track: Int? = nil, offset: Int, length: Int) {
        (self.customerID, self.id, self.track, self.offset, self.length) = (customerID, id, track, offset, length)
    }

    public struct Reply: Codable, Sendable, Equatable {
        /// In base 64.
        public var piece: String
        /// Of the whole file.
        public var size: Int
        public var contentType: String
        public var sha256: String

        public init(piece: String, size: Int, contentType: String, sha256: String) {
            (self.piece, self.size, self.contentType, self.sha256) = (piece, size, contentType, sha256)
        }
    }
}
