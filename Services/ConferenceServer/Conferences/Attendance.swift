import Deadlines
import Hearing

/// What a seat in a conference has besides its ear and its voice.
struct Attendance: Sendable, Codable {
    enum Presence: String, Sendable, Codable {
        /// Gives its PIN: neither heard nor hearing.
        case entering
        /// For the moderator.
        case waiting
        case inside
    }

    var presence = Presence.inside
    var role = Role.member
    var entrance: Entrance?
    var keys = ControlKeys()
    /// Muted by its own keys, which unmute it as well.
    var mutedItself = false
    /// Muted by a moderator or over the API: only they give the voice back.
    var isHeldMuted = false
    var hasRaisedHand = false
    var talk = TalkWatch()
    /// How much it was heard of late; where that is told.
    var dominance = ActiveSpeaker.Presence()
    /// When the tone of those who wait is heard next.
    var humAt = Instant(nanoseconds: 0)

    var isMuted: Bool { mutedItself || isHeldMuted }
}

/// Tells talking from a cough and a pause from the end: a change counts when it has lasted.
struct TalkWatch: Sendable, Codable {
    /// Looks are 100 ms apart.
    private static let looksToBegin = 2
    private static let looksToEnd = 10
    private(set) var isTalking = false
    private var different = 0

    /// True when it began or ended.
    mutating func look(_ talks: Bool) -> Bool {
        guard talks != isTalking else {
            different = 0
            return false
        }
        different += 1
        guard different >= (talks ? Self.looksToBegin : Self.looksToEnd) else { return false }
        (isTalking, different) = (talks, 0)
        return true
    }
}
