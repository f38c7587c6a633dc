/// What is listened for in the sound of a participant; off unless somebody asks.
public struct Watch: Codable, Sendable, Equatable {
    /// Names it among those of its participant; another with the same name takes its place.
    public var id: String
    /// Tell when it begins and ends to speak.
    public var speech: Bool
    /// Tell when nobody has spoken for so many ms.
    public var silence: Int?
    /// Tell when a beep has ended: after speech, of 150 ms and more.
    public var beep: Bool
    /// Tell of the tones of faxes.
    public var fax: Bool
    /// Tell whether a person or a machine has answered.
    public var machine: MachineDetection?
    /// Write down what is said.
    public var transcription: Transcription?

    public init(
        id: String, speech: Bool = false, silence: Int? = nil, beep: Bool = false, fax: Bool = false, machine: MachineDetection? = nil,
        transcription: Transcription? = nil
    ) {
        self.transcription = transcription
        (self.id, self.speech, self.silence, self.beep, self.fax, self.machine) = (id, speech, silence, beep, fax, machine)
    }
}

/// By what a person is told from a machine that answers. Times in ms; what is nil is as usual (docs/hearing.md).
public struct MachineDetection: Codable, Sendable, Hashable {
    /// Silence at first that is a machine's.
    public var initialSilence: Int?
    /// The longest greeting of a person.
    public var greeting: Int?
    /// Silence after a greeting that is a person's.
    public var afterGreetingSilence: Int?
    /// When it is given up.
    public var totalAnalysisTime: Int?
    public var minimumWordLength: Int?
    public var betweenWordsSilence: Int?
    /// The most words of a person.
    public var maximumWords: Int?

    public init() {}
}

/// What was heard.
public enum Finding: Codable, Sendable, Equatable {
    public enum Answerer: String, Codable, Sendable { case human, machine, notsure }

    public enum Fax: String, Codable, Sendable {
        /// CNG, 1100 Hz.
        case calling
        /// CED, 2100 Hz.
        case answering
    }

    case speechStarted
    /// After so many ms of speech.
    case speechEnded(milliseconds: Int)
    /// Nobody has spoken for so many ms.
    case silence(milliseconds: Int)
    /// Over: a message may begin.
    case beep(frequency: Int, milliseconds: Int)
    case fax(Fax)
    /// After so many ms, for a reason that docs/hearing.md names.
    case answerer(Answerer, reason: String, milliseconds: Int)
    case transcript(Transcript)
    /// No more is written down of that side, or of both.
    case transcriptFailed(side: Transcription.Side?, code: String, detail: String)
}

/// Listens to a participant from now on; the same watch again begins anew.
public struct ListenInRoom: Command {
    public typealias Reply = Done
    public static let name = "room.listen"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var participantID: String
    public var epoch: UInt64
    public var watch: Watch

    public init(roomID: String, participantID: String, epoch: UInt64, watch: Watch) {
        (self.roomID, self.participantID, self.epoch, self.watch) = (roomID, participantID, epoch, watch)
    }
}

/// Listens no more; that there is no such watch is no error.
public struct StopListening: Command {
    public typealias Reply = Done
    public static let name = "room.listen.stop"
    public static let service = ServiceName.conferenceServer
    public var roomID: String
    public var participantID: String
    public var watchID: String

    public init(roomID: String, participantID: String, watchID: String) {
        (self.roomID, self.participantID, self.watchID) = (roomID, participantID, watchID)
    }
}

/// A room tells the call's owner what it has heard.
public struct HeardInRoom: Command {
    public typealias Reply = Done
    public static let name = "call.heard"
    public static let service = ServiceName.callServer
    public var callID: String
    public var watchID: String
    public var finding: Finding

    public init(callID: String, watchID: String, finding: Finding) {
        (self.callID, self.watchID, self.finding) = (callID, watchID, finding)
    }
}

/// Changes what a call's server listens for, over the API. `conflict` when the call is not up. Any instance may be asked.
public struct ListenToCall: Command {
    public typealias Reply = Done
    public static let name = "call.listen"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String
    /// Nil: nothing any more. Its own id does not matter.
    public var watch: Watch?

    public init(customerID: String, id: String, watch: Watch?) { (self.customerID, self.id, self.watch) = (customerID, id, watch) }
}

/// What is to be written down of a call, by whom.
public struct Transcription: Codable, Sendable, Equatable {
    public enum Side: String, Codable, Sendable {
        /// What the phone says.
        case `in`
        /// What it hears.
        case out
    }

    public enum Direction: String, Codable, Sendable, CaseIterable {
        case `in`, out, both

        public var sides: [Side] {
            switch self {
            case .in: [.in]
            case .out: [.out]
            case .both: [.in, .out]
            }
        }
    }

    public var id: String
    /// BCP 47.
    public var language: String?
    /// `sphinx`, `http` or `websocket`; nil: the first that the operator has.
    public var provider: String?
    /// A recogniser of the customer's: `http(s)://` or `ws(s)://`, on a public address.
    public var url: String?
    public var direction: Direction
    /// Words and phrases that are likely.
    public var hints: [String]
    /// Results that may still change are told, too.
    public var interim: Bool
    /// What its times count from.
    public var startedAt: Timestamp

    public init(
        id: String, language: String? = nil, provider: String? = nil, url: String? = nil, direction: Direction = .both,
        hints: [String] = [], interim: Bool = false, startedAt: Timestamp
    ) {
        (self.id, self.language, self.provider, self.url) = (id, language, provider, url)
        (self.direction, self.hints, self.interim, self.startedAt) = (direction, hints, interim, startedAt)
    }
}

/// Something that was understood.
public struct Transcript: Codable, Sendable, Equatable {
    public var side: Transcription.Side
    public var text: String
    /// 0 to 1; nil when the recogniser does not say.
    public var confidence: Double?
    /// In ms from the beginning of the transcription.
    public var start: Int
    public var end: Int
    /// It does not change any more.
    public var isFinal: Bool

    public init(side: Transcription.Side, text: String, confidence: Double?, start: Int, end: Int, isFinal: Bool) {
        (self.side, self.text, self.confidence) = (side, text, confidence)
        (self.start, self.end, self.isFinal) = (start, end, isFinal)
    }
}

/// Starts or ends the transcription of a call, over the API. `conflict` when the call is not up. Any instance may be asked.
public struct TranscribeCall: Command {
    public typealias Reply = Done
    public static let name = "call.transcribe"
    public static let service = ServiceName.callServer
    public var customerID: String
    public var id: String
    /// Nil: no more.
    public var transcription: Transcription?

    public init(customerID: String, id: String, transcription: Transcription?) {
        (self.customerID, self.id, self.transcription) = (customerID, id, transcription)
    }
}
