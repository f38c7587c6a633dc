import Contracts
import Deadlines
import Flow

/// A party that a `dial` has called and that is asked, or told something, before it is joined: in a room of its own, so that the caller
/// hears nothing of it; then it moves to the caller's.
extension Leg {
    struct Screening: Codable, Sendable, Equatable {
        enum Stage: String, Codable, Sendable { case waiting, asking, confirming, whispering, moving, done }

        var stage = Stage.waiting
        var confirmText: String?
        var confirmKey: String
        var confirmTimeout: Int
        var whisperText: String?
        var language: String?
        var voiceID: String?
        /// The caller's room.
        var roomID: String
        var instance: String

        init(_ option: Flow.Dial, roomID: String, instance: String) {
            (confirmText, confirmKey, confirmTimeout) = (option.confirmText, option.confirmKey, option.confirmTimeout)
            (whisperText, language, voiceID) = (option.whisperText, option.language, option.voiceID)
            (self.roomID, self.instance) = (roomID, instance)
        }
    }

    private var screeningPlay: String { "\(record.id)/screening/\(screening?.stage.rawValue ?? "")" }

    /// The party is there: it is asked first, then told, then joined.
    mutating func screen(at moment: Moment, into effects: inout [LegEffect]) {
        guard let screening, screening.stage == .waiting else { return }
        if let text = screening.confirmText { say(text, .asking, at: moment, into: &effects) } else { whisper(at: moment, into: &effects) }
    }

    private mutating func whisper(at moment: Moment, into effects: inout [LegEffect]) {
        guard let text = screening?.whisperText else { return join(at: moment, into: &effects) }
        say(text, .whispering, at: moment, into: &effects)
    }

    private mutating func say(_ text: String, _ stage: Screening.Stage, at moment: Moment, into effects: inout [LegEffect]) {
        screening?.stage = stage
        // A prompt whose end nobody tells must not hold the caller for ever.
        deadlines[.screening] = moment.now + .seconds(60)
        say(text, into: &effects)
    }

    private func say(_ text: String, into effects: inout [LegEffect]) {
        let voice = screening?.voiceID.map { SpeechVoice(name: $0) }
        effects.append(
            .play(
                playID: screeningPlay, [.speech(text: text, language: screening?.language, voice: voice)], loop: false, stopOnDigit: false))
    }

    /// What is being said is asked for again under the name it had.
    func resumeScreening(into effects: inout [LegEffect]) {
        switch screening?.stage {
        case .asking: if let text = screening?.confirmText { say(text, into: &effects) }
        case .whispering: if let text = screening?.whisperText { say(text, into: &effects) }
        case .waiting, .confirming, .moving, .done, nil: break
        }
    }

    /// Whether its parent may be told that it has answered.
    var isForItsParent: Bool { record.answeredAt != nil && joins == nil && (screening == nil || screening?.stage == .done) }

    private mutating func join(at moment: Moment, into effects: inout [LegEffect]) {
        guard let screening else { return }
        deadlines[.screening] = moment.now + .seconds(10)
        self.screening?.stage = .moving
        move(roomID: screening.roomID, instance: screening.instance, conferenceID: nil, into: &effects)
    }

    /// True when the prompt was one of these.
    mutating func screeningPlayed(_ playID: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let screening, playID.hasPrefix("\(record.id)/screening/") else { return false }
        guard playID == screeningPlay else { return true }
        switch screening.stage {
        case .asking:
            self.screening?.stage = .confirming
            deadlines[.screening] = moment.now + .milliseconds(screening.confirmTimeout)
        case .whispering: join(at: moment, into: &effects)
        case .waiting, .confirming, .moving, .done: break
        }
        return true
    }

    /// True while it is asked: its keys are an answer, or nothing.
    mutating func screeningHas(_ digit: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let screening, screening.stage != .done else { return false }
        guard [.asking, .confirming].contains(screening.stage), let key = digit.first, screening.confirmKey.contains(key) else { return true }
        if screening.stage == .asking { effects.append(.stopPlay(playID: screeningPlay)) }
        whisper(at: moment, into: &effects)
        return true
    }

    mutating func screeningTimeIsUp(at moment: Moment, into effects: inout [LegEffect]) {
        switch screening?.stage {
        case .asking, .confirming:
            // Nobody agreed: a machine, or somebody who does not want the call.
            end(.noAnswer, Status(code: 480, cause: 19), by: "platform", at: moment, into: &effects)
        case .whispering: join(at: moment, into: &effects)
        case .moving: end(.failed, Status(code: 503, cause: 41), by: "platform", at: moment, into: &effects)
        case .waiting, .done, nil: break
        }
    }

    /// It sits in the caller's room: the caller may be told.
    mutating func screenedIsThere(into effects: inout [LegEffect]) {
        guard let screening, screening.stage == .moving, seat.roomID == screening.roomID else { return }
        self.screening?.stage = .done
        deadlines[.screening] = nil
        effects.append(.tellParent(.childAnswered(record.id)))
    }
}
