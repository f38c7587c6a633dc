import Contracts

/// Who a room belongs to; the conference, when it is one's.
struct RoomIdentity: Hashable, Sendable {
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
    var plays = PlayQueue()
    /// The conference that meets here.
    var meeting: Meeting?
    /// Plays that have ended: to stop them is no news.
    var ended = RecentNames()
    /// Plays that were stopped before they were asked for: the two commands overtook each other.
    var stoppedEarly = RecentNames()
    /// What was performed: a command that comes again is not.
    var operations = RecentNames(limit: 128)
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
    }

    struct AttendanceRecord: Codable, Sendable, Equatable {
        var presence: Attendance.Presence
        var mutedItself: Bool
        var isHeldMuted: Bool
        var hasRaisedHand: Bool
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
    /// When all this was so.
    var takenAt: Timestamp?

    func participant(_ id: String) -> Participant? {
        members.first { $0.settings.participantID == id }.map(\.participant)
    }

    /// Those who have come in, or wait for the moderator; who still gives a PIN is nobody yet.
    var participants: [Participant] { members.filter { $0.attendance?.presence != .entering }.map(\.participant) }
}

extension RoomSnapshot.Member {
    var participant: Participant {
        Participant(
            id: settings.participantID, callID: settings.callID, role: role,
            muted: settings.muted || attendance?.isHeldMuted == true || attendance?.mutedItself == true, deaf: settings.deaf,
            talking: talking, handRaised: attendance?.hasRaisedHand == true, waiting: attendance?.presence == .waiting,
            joinedAt: joinedAt)
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
