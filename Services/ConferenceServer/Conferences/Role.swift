import Deadlines

/// What somebody may do in a conference.
enum Role: String, Sendable, Codable {
    /// Listens, and speaks when a moderator lets it.
    case guest
    case member
    case moderator

    /// `participant` is what a member was called once.
    init?(named name: String) {
        guard let role = name == "participant" ? .member : Role(rawValue: name) else { return nil }
        self = role
    }

    func may(_ control: Control) -> Bool {
        switch control {
        case .hand: true
        case .mute: self != .guest
        case .muteAll, .lock: self == .moderator
        }
    }
}

/// What keys of a phone do in a conference; each undoes itself the second time.
enum Control: Sendable {
    case muteAll, mute, lock, hand

    init?(key: Character) {
        switch key {
        case "5": self = .muteAll
        case "6": self = .mute
        case "7": self = .lock
        case "9": self = .hand
        default: return nil
        }
    }
}

/// Recognises a control: the star, and its key soon after.
struct ControlKeys: Sendable, Codable {
    private static let patience = Interval.seconds(3)
    private var starAt: Instant?

    mutating func press(_ key: Character, now: Instant) -> Control? {
        defer { starAt = key == "*" ? now : nil }
        guard let starAt, now - starAt <= Self.patience else { return nil }
        return Control(key: key)
    }
}
