import Contracts
import Deadlines
import Hearing

/// What a room needs to know of the conference that meets in it.
struct MeetingRules: Sendable, Equatable, Codable {
    var policy = ConferencePolicy()
    var pins = Entrance.PINs()
    var entrance = Entrance.Limits()
    /// How long a conference that ends with its moderators waits for one to come back.
    var grace = Interval.seconds(10)
    /// Nil: there are tones alone.
    var voice: ConferenceVoice?
}

/// A conference that goes on in a room.
struct Meeting: Sendable, Codable {
    var rules: MeetingRules
    /// Somebody is, or was, inside.
    var hasStarted = false
    /// A moderator has come, and nobody waits any more.
    var isOpen = false
    /// By a moderator, for as long as the meeting lasts.
    var isLocked = false
    /// Who comes is muted as everybody is.
    var isMuted = false
    /// Set while the moderators are gone and the conference ends with them.
    var endsAt: Instant?
    var speaker = ActiveSpeaker()
    /// Heard by everybody inside.
    var chime = ChimePlayer()
    /// Said to everybody inside.
    var spoken = SpokenLine()

    /// A chime or a name that was heard is over when another process goes on.
    private enum CodingKeys: String, CodingKey { case rules, hasStarted, isOpen, isLocked, isMuted, endsAt }

    init(_ rules: MeetingRules) { self.rules = rules }

    var refusesNewcomers: Bool { isLocked || rules.policy.locked }
    var keepsWaiting: Bool { rules.policy.waitForModerator && !isOpen }
}

/// What happened in a conference, for those outside.
struct ConferenceNews: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case started, ended
        case locked(Bool)
        /// `admitted` when the moderator came for whom it waited.
        case joined, admitted, left, muted, talking, handRaised, role
        /// It dominates the conversation from now on.
        case speaker
    }

    var kind: Kind
    var room: RoomIdentity
    /// As it is after the event; nil for what concerns all.
    var participant: Participant?
}
