import Contracts
import Deadlines
import Flow

/// `record`: a recording that the flow waits for. The room makes it; that it is to end is seen here: by a key, by silence, by the time.
extension Leg {
    struct Taking: Codable, Sendable {
        var id: String
        /// Nil: it has not begun yet.
        var since: Timestamp?
        /// Why it ends, once it does.
        var end: String?
    }

    private static let silenceWatch = "record"
    /// A room that does not answer must not hold the flow.
    private static let patience = Interval.seconds(5)

    mutating func record(_ option: Flow.Record, at moment: Moment, into effects: inout [LegEffect]) {
        guard let step = performing?.step else { return }
        if option.beep {
            play([.tone(frequency: 1_000, milliseconds: 300)], of: "beep", at: moment, into: &effects)
        } else {
            beginTaking(option, step, at: moment, into: &effects)
        }
    }

    /// True when it was the tone before a recording.
    mutating func recordBeepEnded(at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let current = performing, case .record(let option) = current.action.kind else { return false }
        if current.taking == nil { beginTaking(option, current.step, at: moment, into: &effects) }
        return true
    }

    private mutating func beginTaking(_ option: Flow.Record, _ step: Int, at moment: Moment, into effects: inout [LegEffect]) {
        let id = recordingID(step: step)
        performing?.taking = Taking(id: id)
        effects.append(.startRecording(id: id, Self.terms(of: option), step: step))
        deadlines[.action] = moment.now + Self.patience
    }

    private static func terms(of option: Flow.Record) -> RecordingTerms {
        var terms = RecordingTerms(layout: .mixed, format: option.format == .ogg ? .ogg : .wav)
        // The room ends it by itself should we be gone.
        (terms.seconds, terms.digits) = (option.duration + 10, false)
        return terms
    }

    /// Its owner has died: what was asked of the room is asked again.
    mutating func takeAgain(_ option: Flow.Record, into effects: inout [LegEffect]) {
        guard let current = performing, let taking = current.taking else { return }
        if taking.end != nil {
            effects.append(.stopRecording(id: taking.id, step: current.step))
        } else if taking.since == nil {
            effects.append(.startRecording(id: taking.id, Self.terms(of: option), step: current.step))
        } else {
            listenAgain(into: &effects)
        }
    }

    /// True when the room's answer was about a `record`: it has begun, or it has ended.
    mutating func takingAnswered(_ outcome: Outcome, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let current = performing, case .record(let option) = current.action.kind, let taking = current.taking else { return false }
        if taking.end != nil {
            takingEnded(at: moment, into: &effects)
        } else if outcome.result != .completed {
            finish(outcome, at: moment, into: &effects)
        } else {
            performing?.taking?.since = moment.time
            deadlines[.action] = moment.now + .seconds(option.duration)
            if option.endOfSilence > 0 { listen(Watch(id: Self.silenceWatch, silence: option.endOfSilence * 1000), into: &effects) }
        }
        return true
    }

    /// True when the key was a `record`'s.
    mutating func recordHas(_ digit: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let current = performing, pendingOutcome == nil, case .record(let option) = current.action.kind,
            let taking = current.taking, taking.since != nil, taking.end == nil, option.endKeys.contains(digit)
        else { return false }
        endTaking("key", at: moment, into: &effects)
        return true
    }

    /// True when the finding was of a `record`'s own watch.
    mutating func recordHeard(_ finding: Finding, by watchID: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard watchID == Self.silenceWatch else { return false }
        if case .silence = finding { endTaking("silence", at: moment, into: &effects) }
        return true
    }

    mutating func recordTimeIsUp(at moment: Moment, into effects: inout [LegEffect]) {
        guard let taking = performing?.taking else { return }
        if taking.end != nil {
            takingEnded(at: moment, into: &effects)
        } else if taking.since == nil {
            finish(.failed("timeout"), at: moment, into: &effects)
        } else {
            endTaking("duration", at: moment, into: &effects)
        }
    }

    private mutating func endTaking(_ reason: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, pendingOutcome == nil, let taking = current.taking, taking.since != nil, taking.end == nil else { return }
        performing?.taking?.end = reason
        stopListening(Self.silenceWatch, into: &effects)
        deadlines[.action] = moment.now + Self.patience
        effects.append(.stopRecording(id: taking.id, step: current.step))
    }

    private mutating func takingEnded(at moment: Moment, into effects: inout [LegEffect]) {
        finish(Outcome(.completed, variables: takenVariables, data: taken(at: moment)), at: moment, into: &effects)
    }

    /// Given up while it goes on.
    mutating func stopTaking(into effects: inout [LegEffect]) {
        stopListening(Self.silenceWatch, into: &effects)
        guard let current = performing, let taking = current.taking, taking.end == nil else { return }
        effects.append(.stopRecording(id: taking.id, step: current.step))
    }

    /// The end of the call is the end of a recording, of which the flow is told.
    func ended(at moment: Moment) -> Outcome { Outcome(.callEnded, variables: takenVariables, data: taken(at: moment)) }

    private var takenVariables: [String: String]? { performing?.taking.map { ["voipbin.recording.id": $0.id, "voipbin.recording.reference_id": record.id] } }

    private func taken(at moment: Moment) -> [String: JSONValue]? {
        guard let taking = performing?.taking, let since = taking.since else { return nil }
        let length = max(0, moment.time.milliseconds - since.milliseconds)
        return ["recording_id": .string(taking.id), "milliseconds": .integer(length), "ended": .string(taking.end ?? "hangup")]
    }
}
