import Contracts

/// Who a room belongs to; the conference, when it is one's.
struct RoomIdentity: Hashable, Sendable, Codable {
    var id: String
    var customerID: String
    var conferenceID: String?
    /// Nobody more is let in.
    var limit: Int?
}

/// A room: the slots of those who sit in it, and what is played to all of them.
struct Room {
    let identity: RoomIdentity
    var seats: [Int] = []
    /// On the shelf, and which room of that place it is.
    var place = 0
    var number: UInt64 = 0
    var link = RoomLink()
    var plays = PlayQueue()
    /// The conference that meets here.
    var meeting: Meeting?
    /// What those hear who wait for it.
    var music = HoldLine()
    /// Who dominates it is told.
    var weighsSpeakers = false
    /// Plays that have ended: to stop them is no news.
    var ended = RecentNames()
    /// Plays that were stopped before they were asked for: the two commands overtook each other.
    var stoppedEarly = RecentNames()
    /// What was performed: a command that comes again is not.
    var operations = RecentNames(limit: 128)
    /// What copies its sound for recordings.
    var taps: [RoomTap] = []

    // Where somebody is not simply heard by all and hears all (`Mixer+Direction.swift`).
    var isDirected = false
    /// Somebody's direction names another, or somebody is no member.
    var hasNames = false
    /// Whose voices are not for everybody.
    var whisperers: [Int] = []
    /// Those who listen at another's ear.
    var shadows: [Int] = []
    /// Supervisors and the like, who are no members.
    var outsiders = 0

    /// Somebody is louder or softer than he comes.
    var hasGains = false

    var memberCount: Int { seats.count - outsiders }

    /// Whether somebody is not simply heard by all as he comes, or hears all: then two phones cannot be linked without the mixer.
    var needsMixer: Bool { isDirected || hasNames || hasGains || outsiders > 0 }
}

/// Who left which room, as they were then.
struct Departure: Sendable, Equatable {
    var room: RoomIdentity
    var member: RoomSnapshot.Member
}

/// A room as others may know it: for lists, and for whoever takes the room over one day.
struct RoomSnapshot: Codable, Sendable, Equatable {
    struct Member: Codable, Sendable, Equatable {
        var settings: ParticipantSettings
        var role: String
        var talking: Bool
        var joinedAt: Timestamp
        /// What its relay sends to us with.
        var ssrc: UInt32
        var plays: [PlayPosition]
        /// In a conference.
        var attendance: AttendanceRecord?
        /// Unless it is the common one.
        var direction: Direction?
        /// What is listened for.
        var watches: [Watch]?
    }

    struct AttendanceRecord: Codable, Sendable, Equatable {
        var presence: Attendance.Presence
        var mutedItself: Bool
        var isHeldMuted: Bool
        var hasRaisedHand: Bool
    }

    struct MeetingRecord: Codable, Sendable, Equatable {
        var hasStarted: Bool
        var isOpen: Bool
        var isLocked: Bool
        var isMuted: Bool
        /// The moderators are gone, and it ends after so many ms.
        var endsIn: Int?
    }

    struct PlayPosition: Codable, Sendable, Equatable {
        var id: String
        var milliseconds: Int
        /// What goes on from there.
        var play: PlayInRoom?
    }

    var id: String
    var customerID: String
    var conferenceID: String?
    var members: [Member]
    var plays: [PlayPosition]
    /// What is recorded, and how far that has come.
    var recordings: [RecordingPosition]?
    /// Sockets, with what a successor needs to connect them anew.
    var streams: [StreamMember]?
    /// When all this was so.
    var takenAt: Timestamp?
    /// Of the conference that meets there. Its PINs are not among it.
    var meeting: MeetingRecord?

    struct StreamMember: Codable, Sendable, Equatable {
        var request: StartStream
        var muted: Bool
        var deaf: Bool
        var talking: Bool
        var direction: Direction?
        var joinedAt: Timestamp

        var participant: Participant {
            var participant = Participant(
                id: request.stream.id, callID: request.callID ?? "", role: Role.member.rawValue, muted: muted, deaf: deaf,
                talking: talking, joinedAt: joinedAt)
            participant.kind = .stream
            participant.take(direction)
            return participant
        }
    }

    /// Whether more than its mixer works in the room: recorders, sockets, recognisers.
    var isHalted: Bool {
        recordings?.isEmpty == false || streams?.isEmpty == false
            || members.contains { $0.watches?.contains { $0.transcription != nil } == true }
    }

    func participant(_ id: String) -> Participant? {
        members.first { $0.settings.participantID == id }.map(\.participant)
            ?? streams?.first { $0.request.stream.id == id }?.participant
    }

    /// Those who have come in, or wait for the moderator; who still gives a PIN is nobody yet.
    var participants: [Participant] {
        members.filter { $0.attendance?.presence != .entering && $0.settings.supervision == nil }.map(\.participant)
            + (streams ?? []).map(\.participant)
    }
}

extension RoomSnapshot.Member {
    var participant: Participant {
        var participant = Participant(
            id: settings.participantID, callID: settings.callID, role: role,
            muted: settings.muted || attendance?.isHeldMuted == true || attendance?.mutedItself == true, deaf: settings.deaf,
            talking: talking, handRaised: attendance?.hasRaisedHand == true, waiting: attendance?.presence == .waiting,
            joinedAt: joinedAt)
        if let supervision = settings.supervision { (participant.kind, participant.whisperTo) = (.supervisor, supervision.whisperTo) }
        participant.take(direction)
        return participant
    }
}

extension Participant {
    mutating func take(_ direction: Direction?) {
        guard let direction else { return }
        if direction.gainIn != 0 { gainIn = direction.gainIn }
        if direction.gainOut != 0 { gainOut = direction.gainOut }
        if let target = direction.whisperTo { whisperTo = target }
        hears = direction.hears
    }
}

extension RoomSnapshot {
    /// What a successor of the room plays from now on, in this order: the plays that were heard have gone on meanwhile.
    func resumptions(at now: Timestamp) -> [PlayInRoom] {
        let passed = takenAt.map { Int(clamping: max(0, now.milliseconds - $0.milliseconds)) } ?? 0
        return Self.resumptions(plays, after: passed) + members.flatMap { Self.resumptions($0.plays, after: passed) }
    }

    /// The last first, each in front of those before it: so they stand as they stood.
    private static func resumptions(_ plays: [PlayPosition], after passed: Int) -> [PlayInRoom] {
        plays.enumerated().reversed().compactMap { index, position in
            guard var play = position.play else { return nil }
            if index == 0, play.paused != true { play.startAt = position.milliseconds + passed }
            if play.placement != .background { play.placement = .interrupt }
            return play
        }
    }
}
