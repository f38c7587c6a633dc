/// What happens in rooms that somebody outside wants to know.
enum MixerEvent: Sendable, Equatable {
    /// A call's digit, once per press; `owner` is the CallServer instance to tell.
    case digit(callID: String, owner: String, digit: Character, milliseconds: Int)
    /// A play ended after that many ms of sound.
    case played(callID: String, owner: String, playID: String, end: Play.End, milliseconds: Int)
    /// The relay has sent nothing for half a minute; the participant stays.
    case unheard(roomID: String, participantID: String)
    case conference(ConferenceNews)
    /// Put out of a conference.
    case expelled(Expulsion)
}
