import Deadlines

/// The way of one caller into a conference with PINs: keys and time go in, what is to happen comes out.
///
/// A PIN counts as given when no longer one can be meant, with `#`, or when nothing follows for a while; `*` begins anew.
struct Entrance: Sendable, Codable {
    struct PINs: Sendable, Equatable, Codable {
        /// Nil: whoever gives none is a member.
        var member: String?
        var moderator: String?

        var isEmpty: Bool { member == nil && moderator == nil }
    }

    struct Limits: Sendable, Equatable, Codable {
        var tries = 3
        var silence = Interval.seconds(10)
    }

    enum Refusal: String, Sendable { case pin, locked, silence }

    enum Step: Sendable, Equatable {
        case wait
        case askAgain
        case admit(Role)
        case refuse(Refusal)
    }

    /// What comes after these belongs to no PIN.
    private static let longest = 16

    private let pins: PINs
    private let limits: Limits
    private var given = ""
    private var triesLeft: Int
    /// When the silence has lasted too long.
    private(set) var deadline: Instant

    init(_ pins: PINs, _ limits: Limits, now: Instant) {
        (self.pins, self.limits, triesLeft) = (pins, limits, limits.tries)
        deadline = now + limits.silence
    }

    mutating func press(_ key: Character, now: Instant) -> Step {
        deadline = now + limits.silence
        switch key {
        case "*":
            given = ""
            return .wait
        case "#":
            return judge()
        case "0"..."9":
            given.append(key)
            return isComplete ? judge() : .wait
        default:
            return .wait
        }
    }

    /// It is being spoken to: nobody is silent who listens.
    mutating func hold(now: Instant) { deadline = max(deadline, now + limits.silence) }

    mutating func expire(now: Instant) -> Step {
        guard now >= deadline else { return .wait }
        guard given.isEmpty else {
            deadline = now + limits.silence
            return judge()
        }
        return pins.member == nil ? .admit(.member) : .refuse(.silence)
    }

    private var known: [String] { [pins.member, pins.moderator].compactMap(\.self) }

    /// Whether nothing that is still pressed could make another PIN of it.
    private var isComplete: Bool {
        let longest = known.map(\.utf8.count).max() ?? Self.longest
        guard given.utf8.count < longest else { return true }
        return known.contains(given) && !known.contains { $0 != given && $0.hasPrefix(given) }
    }

    private mutating func judge() -> Step {
        defer { given = "" }
        if given == pins.moderator { return .admit(.moderator) }
        if given == pins.member || (given.isEmpty && pins.member == nil) { return .admit(.member) }
        triesLeft -= 1
        return triesLeft > 0 ? .askAgain : .refuse(.pin)
    }
}
