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

    public init() {}
}

extension ConferencePolicy: Codable {
    private enum CodingKeys: String, CodingKey {
        case locked
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
        speakerEvents = try flag(.speakerEvents)
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
