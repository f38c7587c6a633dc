import Audio
import Contracts

/// How loud a participant is, who hears it and whom it hears, by names; the common one has none of this.
struct Direction: Codable, Sendable, Equatable {
    /// Of its voice and of what it hears, in dB.
    var gainIn = 0.0
    var gainOut = 0.0
    /// Alone hears it.
    var whisperTo: String?
    /// Alone are heard by it.
    var hears: [String]?

    /// Whom one may hear alone, at most.
    static let largestCircle = 50

    /// The change that leads here.
    var asked: DirectionChange { DirectionChange(gainIn: gainIn, gainOut: gainOut, whisperTo: whisperTo, hears: hears) }

    mutating func apply(_ change: DirectionChange) throws(RPCError) {
        var problems: [Problem] = []
        func check(_ value: Double?, _ name: String) {
            guard let value, !Gain.range.contains(value) else { return }
            let range = "a gain is \(Int(Gain.range.lowerBound)) to \(Int(Gain.range.upperBound)) dB"
            problems.append(Problem(pointer: "/\(name)", code: "out_of_range", detail: range))
        }
        check(change.gainIn, "gain_in")
        check(change.gainOut, "gain_out")
        if let hears = change.hears, hears.count > Self.largestCircle {
            problems.append(Problem(pointer: "/hears", code: "out_of_range", detail: "at most \(Self.largestCircle) are heard alone"))
        }
        guard problems.isEmpty else { throw RPCError(.invalid, "a participant cannot be changed so", problems: problems) }
        if let gain = change.gainIn { gainIn = gain }
        if let gain = change.gainOut { gainOut = gain }
        if let target = change.whisperTo { whisperTo = target.isEmpty ? nil : target }
        if let circle = change.hears { hears = circle.isEmpty ? nil : circle }
    }
}

/// How far a voice carries, by slots: made of names whenever somebody comes or goes, so that a tick compares numbers.
enum Reach: Sendable, Equatable {
    case all, nobody
    /// A whisper. Who is whispered to and not there is nobody: no whisper is heard by all.
    case only(Int)
    case allBut(Int)

    /// Whether the voice is in the sum of the room.
    var isOpen: Bool {
        switch self {
        case .all, .allBut: true
        case .only, .nobody: false
        }
    }

    func includes(_ slot: Int) -> Bool {
        switch self {
        case .all: true
        case .nobody: false
        case .only(let other): other == slot
        case .allBut(let other): other != slot
        }
    }
}

/// Whom an ear hears, by slots.
enum Hearing: Sendable, Equatable {
    case all
    case only([Int])
    /// What one participant says, what it hears, or both: for a stream that is a call's.
    case voice(of: Int), ear(of: Int), both(of: Int)
    case nobody

    /// The participant whose ear is listened at.
    var tapped: Int? {
        switch self {
        case .ear(let slot), .both(let slot): slot
        case .all, .only, .voice, .nobody: nil
        }
    }
}
