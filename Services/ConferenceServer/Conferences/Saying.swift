import Contracts

/// What a conference may say.
enum Saying: Sendable, Equatable {
    case pin, wrongPIN, waiting
    case joined, left

    /// Heard after the sentence, or in its place where nobody can speak it.
    var chime: (after: Chime?, instead: Chime?) {
        switch self {
        case .pin: (.askPIN, .askPIN)
        // Its tone comes first: whoever mistyped knows at once.
        case .wrongPIN: (nil, nil)
        case .waiting: (nil, .waiting)
        case .joined: (nil, .entry)
        case .left: (nil, .exit)
        }
    }

    /// The conference's own sound, if it has one.
    func sound(of prompts: ConferencePrompts?) -> String? {
        switch self {
        case .pin: prompts?.pin
        case .wrongPIN: prompts?.wrongPIN
        case .waiting: prompts?.waiting
        case .joined, .left: nil
        }
    }
}

/// What the voice of conferences is like.
struct ConferenceVoice: Sendable, Equatable, Codable {
    /// Of a conference that names none.
    var language = "en"
    /// So many names may wait to be announced; beyond them there is one tone.
    var names = 5
}

/// A sound that is to be rendered away from the mixers: the first of `choices` that can be.
struct SpokenOrder: Sendable, Equatable {
    var room: String
    var customer: String
    /// Nil: for all inside.
    var participant: String?
    var number: UInt64
    var choices: [PlaySource]
}
