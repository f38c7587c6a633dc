/// How a conference is held; each is a field of the conference.
public struct ConferencePolicy: Sendable, Equatable {
    /// Nobody hears anybody until a moderator has come.
    public var waitForModerator = false
    /// A tone tells those inside that somebody came, or left.
    public var entryTone = false
    public var exitTone = false
    public var muteOnEntry = false
    public var endWhenModeratorLeaves = false
    /// Nobody more is let in.
    public var locked = false
    /// Keys of the phone mute, raise a hand, and let a moderator do more.
    public var digitControls = true
    /// Who dominates the conversation is told by events.
    public var speakerEvents = false
    /// How those inside hear who comes and goes.
    public var announce = Announcing.none
    /// What it speaks (BCP 47); nil: what the installation does.
    public var language: String?
    /// Music while one waits for the moderator, or is alone.
    public var musicOnHold = false
    /// Sounds in place of the sentences that are spoken.
    public var prompts: ConferencePrompts?

    /// How those inside hear who comes and goes.
    public enum Announcing: String, Codable, Sendable, CaseIterable {
        /// As `entryTone` and `exitTone` say.
        case none
        /// A tone for both.
        case tone
        /// "NAME has joined", "NAME has left"; a tone where nobody can speak.
        case name
    }

    /// Whether a tone tells that somebody came, or left; with names it is what is heard in their place.
    public var hasEntryTone: Bool { entryTone || announce == .tone }
    public var hasExitTone: Bool { exitTone || announce == .tone }

    public init() {}
}

/// A conference's own sounds: each an http(s) address, `recording:ID` or a name in the server's folder.
public struct ConferencePrompts: Codable, Sendable, Equatable {
    /// Asks for the PIN.
    public var pin: String?
    /// It was wrong, and is to be given again.
    public var wrongPIN: String?
    /// Heard by who waits for the moderator.
    public var waiting: String?

    public var isEmpty: Bool { self == ConferencePrompts() }

    public init(pin: String? = nil, wrongPIN: String? = nil, waiting: String? = nil) {
        (self.pin, self.wrongPIN, self.waiting) = (pin, wrongPIN, waiting)
    }

    private enum CodingKeys: String, CodingKey {
        case pin, waiting
        case wrongPIN = "wrong_pin"
    }
}

extension ConferencePolicy: Codable {
    private enum CodingKeys: String, CodingKey {
        case locked, announce, language, prompts
        case musicOnHold = "music_on_hold"
        case waitForModerator = "wait_for_moderator"
        case entryTone = "entry_tone"
        case exitTone = "exit_tone"
        case muteOnEntry = "mute_on_entry"
        case endWhenModeratorLeaves = "end_when_moderator_leaves"
        case digitControls = "digit_controls"
        case speakerEvents = "speaker_events"
    }

    /// What an older sender does not know of is as it was before.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func flag(_ key: CodingKeys, _ standard: Bool = false) throws -> Bool {
            try fields.decodeIfPresent(Bool.self, forKey: key) ?? standard
        }
        (waitForModerator, entryTone, exitTone) = (try flag(.waitForModerator), try flag(.entryTone), try flag(.exitTone))
        (muteOnEntry, locked) = (try flag(.muteOnEntry), try flag(.locked))
        (endWhenModeratorLeaves, digitControls) = (try flag(.endWhenModeratorLeaves), try flag(.digitControls, true))
        (speakerEvents, musicOnHold) = (try flag(.speakerEvents), try flag(.musicOnHold))
        announce = try fields.decodeIfPresent(Announcing.self, forKey: .announce) ?? .none
        language = try fields.decodeIfPresent(String.self, forKey: .language)
        prompts = try fields.decodeIfPresent(ConferencePrompts.self, forKey: .prompts)
    }
}

/// Changes of a policy; what is nil stays.
public struct ConferencePolicyChange: Codable, Sendable, Equatable {
    public var waitForModerator: Bool?
    public var entryTone: Bool?
    public var exitTone: Bool?
    public var muteOnEntry: Bool?
    public var endWhenModeratorLeaves: Bool?
    public var locked: Bool?
    public var digitControls: Bool?
    public var speakerEvents: Bool?
    public var announce: ConferencePolicy.Announcing?
    /// Empty: the installation's.
    public var language: String?
    public var musicOnHold: Bool?
    /// In place of all there were.
    public var prompts: ConferencePrompts?

    public init() {}

    public func applied(to policy: ConferencePolicy) -> ConferencePolicy {
        var policy = policy
        if let waitForModerator { policy.waitForModerator = waitForModerator }
        if let entryTone { policy.entryTone = entryTone }
        if let exitTone { policy.exitTone = exitTone }
        if let muteOnEntry { policy.muteOnEntry = muteOnEntry }
        if let endWhenModeratorLeaves { policy.endWhenModeratorLeaves = endWhenModeratorLeaves }
        if let locked { policy.locked = locked }
        if let digitControls { policy.digitControls = digitControls }
        if let speakerEvents { policy.speakerEvents = speakerEvents }
        if let announce { policy.announce = announce }
        if let language { policy.language = language.isEmpty ? nil : language }
        if let musicOnHold { policy.musicOnHold = musicOnHold }
        if let prompts { policy.prompts = prompts.isEmpty ? nil : prompts }
        return policy
    }
}

/// Does something to a conference that goes on. Any instance may be asked; `not_found` when nobody is in it.
public struct ControlConference: Command {
    public typealias Reply = Done
    public static let name = "conference.control"
    public static let service = ServiceName.conferenceServer

    public enum Action: String, Codable, Sendable, CaseIterable {
        /// Everybody but the moderators, who come later as well; `unmute` gives all their voices back.
        case mute, unmute
        /// For as long as this meeting lasts.
        case lock, unlock
        /// Puts everybody out; their calls go on with their flows.
        case end
        /// The conference's settings have changed.
        case refresh
    }

    public var customerID: String
    public var conferenceID: String
    public var action: Action

    public init(customerID: String, conferenceID: String, action: Action) {
        (self.customerID, self.conferenceID, self.action) = (customerID, conferenceID, action)
    }
}
