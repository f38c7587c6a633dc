/// One thing to play.
public enum PlaySource: Codable, Sendable, Equatable {
    /// `http(s)://...`, `recording:ID`, or a name in the server's folder of sounds.
    case url(String)
    /// Plain text, or SSML when it begins with `<speak`.
    case speech(text: String, language: String?, voice: SpeechVoice? = nil)
    /// A single tone: frequency in Hz, length in ms.
    case tone(frequency: Double, milliseconds: Int)
    case silence(milliseconds: Int)
    /// The caller's ring-back, as the country of the installation has it, until stopped.
    case ringback
    /// A tone of call progress: `dial`, `ringing`, `busy`, `congestion`, `call_waiting`, `special_information` or `beep`, of a
    /// country (ISO 3166) or that of the installation; one period.
    case signal(name: String, country: String?)
    /// Music for who waits: the customer's, else the operator's, else what the suite makes by itself.
    case music
    /// A recording of the same customer; one of tracks has no one sound.
    case recording(id: String)
}

/// Who speaks, and how.
public struct SpeechVoice: Codable, Sendable, Equatable {
    public var name: String?
    /// `espeak`, or another that the operator has; one that is not there speaks through whoever is.
    public var provider: String?
    /// Words a minute.
    public var rate: Int?
    /// 0 to 99; 50 is the voice's own.
    public var pitch: Int?
    /// In dB.
    public var volume: Double?

    public init(name: String? = nil, provider: String? = nil, rate: Int? = nil, pitch: Int? = nil, volume: Double? = nil) {
        (self.name, self.provider, self.rate, self.pitch, self.volume) = (name, provider, rate, pitch, volume)
    }
}

/// Where a play stands among those of the same ear, or of the same room.
public enum PlayPlacement: String, Codable, Sendable {
    /// After the others; one that is repeated for ever gives way.
    case queue
    /// In place of all others.
    case replace
    /// At once; the one that was heard goes on afterwards.
    case interrupt
    /// Whenever nothing else is played.
    case background
}

/// Plays sources one after the other to one participant, or to all. Accepted at once; `PlayFinished` comes later.
public struct PlayInRoom: Command, Equatable {
    public typealias Reply = Done
    public static let name = "room.play"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var participantID: String?
    public var playID: String
    public var sources: [PlaySource]
    /// For ever, unless `repeats` says how often.
    public var loop: Bool
    /// A digit of the participant ends it.
    public var stopOnDigit: Bool
    /// A voice of the participant ends it.
    public var stopOnSpeech: Bool?
    /// How often it is heard: once.
    public var repeats: Int?
    /// In dB; 0.
    public var volume: Double?
    /// Where it begins, in ms.
    public var startAt: Int?
    /// It waits for `resume`.
    public var paused: Bool?
    public var placement: PlayPlacement?
    /// Heard only while nobody else is in the room.
    public var whileAlone: Bool?
    /// Names this request: the same one again does nothing, even when the play is over.
    public var operationID: String?

    public init(
        roomID: String, participantID: String?, playID: String, sources: [PlaySource], loop: Bool = false, stopOnDigit: Bool = false,
        stopOnSpeech: Bool? = nil, repeats: Int? = nil, volume: Double? = nil, startAt: Int? = nil, paused: Bool? = nil,
        placement: PlayPlacement? = nil, whileAlone: Bool? = nil, operationID: String? = nil
    ) {
        (self.roomID, self.participantID, self.playID) = (roomID, participantID, playID)
        (self.sources, self.loop, self.stopOnDigit, self.stopOnSpeech) = (sources, loop, stopOnDigit, stopOnSpeech)
        (self.repeats, self.volume, self.startAt, self.paused) = (repeats, volume, startAt, paused)
        (self.placement, self.whileAlone, self.operationID) = (placement, whileAlone, operationID)
    }
}

public struct StopPlay: Command {
    public typealias Reply = Done
    public static let name = "room.stop"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var playID: String

    public init(roomID: String, playID: String) { (self.roomID, self.playID) = (roomID, playID) }
}

/// Changes a play that is heard or waits.
public struct ControlPlay: Command {
    public typealias Reply = PlayState
    public static let name = "room.play.control"
    public static let service = ServiceName.conferenceServer

    public enum Change: Codable, Sendable, Equatable {
        case pause, resume
        /// To so many ms from the beginning of its sound.
        case seek(milliseconds: Int)
        /// Forwards by so many ms, or back.
        case skip(milliseconds: Int)
        /// In dB.
        case volume(decibels: Double)
    }

    public var roomID: String
    public var playID: String
    /// Names this change: the same one again only tells how things stand.
    public var operationID: String
    public var change: Change

    public init(roomID: String, playID: String, operationID: String, change: Change) {
        (self.roomID, self.playID, self.operationID, self.change) = (roomID, playID, operationID, change)
    }
}

/// How a play stands.
public struct PlayState: Codable, Sendable, Equatable {
    public var playID: String
    /// In ms from the beginning of its sound.
    public var position: Int
    public var paused: Bool
    public var volume: Double
    /// How often it is heard from its beginning after this time; nil: for ever.
    public var repeatsLeft: Int?

    public init(playID: String, position: Int, paused: Bool, volume: Double, repeatsLeft: Int?) {
        (self.playID, self.position, self.paused, self.volume, self.repeatsLeft) = (playID, position, paused, volume, repeatsLeft)
    }
}
