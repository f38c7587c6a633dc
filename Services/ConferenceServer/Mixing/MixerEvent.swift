import Contracts

/// What happens in rooms that somebody outside wants to know.
enum MixerEvent: Sendable, Equatable {
    /// A call's digit, once per press; `owner` is the CallServer instance to tell.
    case digit(callID: String, owner: String, digit: Character, milliseconds: Int)
    /// What a call heard ended, after that many ms of its sound.
    case played(callID: String, owner: String, playID: String, end: Play.End, milliseconds: Int)
    /// A play is heard for the first time, or with an end, for the last; of a participant, or of the whole room.
    case play(RoomIdentity, participantID: String?, playID: String, end: Play.End?, milliseconds: Int)
    /// The relay has sent nothing for half a minute; the participant stays.
    case unheard(roomID: String, participantID: String)
    /// A watch has found something in what a call's phone says.
    case heard(callID: String, owner: String, watchID: String, Finding)
    case conference(ConferenceNews)
    /// The thread stood still so long that others may have taken the rooms for orphans.
    case stoodStill
    /// A sound that a conference waits for.
    case say(SpokenOrder)
    /// What relays are to do.
    case link(LinkOrder)
    /// Put out of a conference.
    case expelled(Expulsion)
    /// A recording gets nothing more from its room.
    case tapEnded(TapEnd)
}
