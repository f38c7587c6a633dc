import Contracts
import Deadlines
import Flow

/// What is listened for in what the phone says, and what follows from what is heard. The room listens and tells; the leg knows
/// what was wanted, so that the next room is asked for the same.
extension Leg {
    /// What a leg remembers of it, as long as there is something to remember.
    struct Hearing: Codable, Sendable {
        /// What rooms are asked to listen for; the same in the next room.
        var watches: [Watch] = []
        /// The answer to an `amd` of the flow that goes on, perhaps beside other actions.
        var detection: Detection?
        /// Transcriptions that were stopped; what was said before may still be told.
        var ending: [Transcription] = []
        /// What follows the transcription that goes on.
        var afterwards: Afterwards?
        /// What the flow is told with the next outcome.
        var variables: [String: String] = [:]
    }

    /// A flow that runs when something is over, and the run that wants it.
    struct Afterwards: Codable, Sendable {
        var flowID: String
        var runID: String
    }

    struct Detection: Codable, Sendable {
        var hangsUp: Bool
        /// The action is done already; others may be.
        var isAsync: Bool
        var awaitsBeep: Bool
        var answerer: Finding.Answerer?
    }

    private static let detectionWatch = "amd"
    private static let listeningWatch = "listen"
    /// A finding that a room told of, and that was lost, must not hold the flow.
    private static let patience = Interval.seconds(2)

    private static let resultName = "voipbin.call.amd.result"
    private static let reasonName = "voipbin.call.amd.reason"
    private static let beepName = "voipbin.call.amd.beep"

    // MARK: Asking

    mutating func detectMachine(_ option: AMD, at moment: Moment, into effects: inout [LegEffect]) {
        var wanted = MachineDetection()
        (wanted.initialSilence, wanted.greeting) = (option.initialSilence, option.greeting)
        (wanted.afterGreetingSilence, wanted.totalAnalysisTime) = (option.afterGreetingSilence, option.totalAnalysisTime)
        (wanted.minimumWordLength, wanted.betweenWordsSilence) = (option.minimumWordLength, option.betweenWordsSilence)
        wanted.maximumWords = option.maximumNumberOfWords
        var hearing = hearing ?? Hearing()
        hearing.detection = Detection(hangsUp: option.machineHandle == .hangup, isAsync: option.async, awaitsBeep: option.detectBeep)
        self.hearing = hearing
        listen(Watch(id: Self.detectionWatch, beep: option.detectBeep, machine: wanted), into: &effects)
        if option.async {
            deadlines[.detection] = moment.now + .milliseconds(option.timeout) + Self.patience
            finish(.completed, at: moment, into: &effects)
        } else {
            deadlines[.action] = moment.now + .milliseconds(option.timeout) + Self.patience
        }
    }

    /// Listens for what `watch` says besides whatever else is listened for; nil: no more.
    mutating func listen(for watch: Watch?, into effects: inout [LegEffect]) {
        guard var watch else { return stopListening(Self.listeningWatch, into: &effects) }
        watch.id = Self.listeningWatch
        listen(watch, into: &effects)
    }

    mutating func listen(_ watch: Watch, into effects: inout [LegEffect]) {
        var hearing = hearing ?? Hearing()
        hearing.watches.removeAll { $0.id == watch.id }
        hearing.watches.append(watch)
        self.hearing = hearing
        if isSeated { effects.append(.listen(watch)) }
    }

    mutating func stopListening(_ id: String, into effects: inout [LegEffect]) {
        guard hearing?.watches.contains(where: { $0.id == id }) == true else { return }
        hearing?.watches.removeAll { $0.id == id }
        if isSeated { effects.append(.stopListening(watchID: id)) }
    }

    /// Another room is to listen, too.
    func listenAgain(into effects: inout [LegEffect]) {
        for watch in hearing?.watches ?? [] { effects.append(.listen(watch)) }
    }

    /// The room listens: what was begun for that is done.
    mutating func listening(_ id: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard let current = performing, current.isStarted else { return }
        switch current.action.kind {
        case .listenStart where id == Self.listeningWatch: finish(.completed, at: moment, into: &effects)
        case .transcribeStart where id == Self.transcribingWatch: finish(transcribing, at: moment, into: &effects)
        default: break
        }
    }

    /// The room does not listen: a transcription fails, an `amd` has no answer; the call goes on.
    mutating func listenFailed(_ id: String, _ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) {
        guard let watch = hearing?.watches.first(where: { $0.id == id }) else { return }
        if gatherFailed(id, error, at: moment, into: &effects) || askingFailed(id, error, at: moment, into: &effects) { return }
        let code = error.problems.first?.code ?? error.code.rawValue
        if watch.transcription != nil {
            _ = tellTranscript(.transcriptFailed(side: nil, code: code, detail: error.detail), into: &effects)
        }
        switch performing?.action.kind {
        case .listenStart where id == Self.listeningWatch, .transcribeStart where id == Self.transcribingWatch:
            finish(.failed(code), at: moment, into: &effects)
        default: break
        }
        if watch.machine != nil { detectionTimeIsUp(at: moment, into: &effects) }
    }

    // MARK: Hearing

    mutating func heard(_ finding: Finding, by watchID: String, at moment: Moment, into effects: inout [LegEffect]) {
        if askingHeard(finding, by: watchID, at: moment, into: &effects) { return }
        if recordHeard(finding, by: watchID, at: moment, into: &effects) || gatherHeard(finding, by: watchID, at: moment, into: &effects)
            || tellTranscript(finding, into: &effects) { return }
        // What a room told of after it was asked to listen no more.
        guard hearing?.watches.contains(where: { $0.id == watchID }) == true else { return }
        tell(finding, into: &effects)
        guard watchID == Self.detectionWatch, let detection = hearing?.detection else { return }
        switch finding {
        case .answerer(let answerer, let reason, let milliseconds):
            guard detection.answerer == nil else { return }
            hearing?.detection?.answerer = answerer
            hearing?.variables[Self.resultName] = answerer.rawValue
            hearing?.variables[Self.reasonName] = reason
            hearing?.variables["voipbin.call.amd.milliseconds"] = String(milliseconds)
            // A beep that gave the machine away follows by itself.
            if answerer != .machine || !detection.awaitsBeep { endDetection(at: moment, into: &effects) }
        case .beep:
            hearing?.variables[Self.beepName] = "true"
            endDetection(at: moment, into: &effects)
        case .speechStarted, .speechEnded, .silence, .fax, .transcript, .transcriptFailed:
            break
        }
    }

    /// The time for an `amd` is up: with what is known.
    mutating func detectionTimeIsUp(at moment: Moment, into effects: inout [LegEffect]) {
        guard let detection = hearing?.detection else { return }
        if detection.answerer == nil {
            hearing?.detection?.answerer = .notsure
            hearing?.variables[Self.resultName] = Finding.Answerer.notsure.rawValue
            hearing?.variables[Self.reasonName] = "timeout"
        }
        endDetection(at: moment, into: &effects)
    }

    private mutating func endDetection(at moment: Moment, into effects: inout [LegEffect]) {
        guard let detection = hearing?.detection else { return }
        hearing?.detection = nil
        deadlines[.detection] = nil
        stopListening(Self.detectionWatch, into: &effects)
        if detection.answerer == .machine, detection.hangsUp {
            end(.completed, Status(code: 200, cause: 16), by: "platform", at: moment, into: &effects)
        } else if !detection.isAsync {
            finish(.completed, at: moment, into: &effects)
        }
    }

    mutating func stopDetecting(into effects: inout [LegEffect]) {
        hearing?.detection = nil
        deadlines[.detection] = nil
        stopListening(Self.detectionWatch, into: &effects)
    }

    /// What was found out goes with the outcome of whatever action ends next.
    mutating func withFindings(_ outcome: Outcome) -> Outcome {
        guard let variables = hearing?.variables, !variables.isEmpty else { return outcome }
        hearing?.variables = [:]
        var outcome = outcome
        outcome.variables = variables.merging(outcome.variables ?? [:]) { $1 }
        return outcome
    }

    private mutating func tell(_ finding: Finding, into effects: inout [LegEffect]) {
        switch finding {
        case .speechStarted:
            publish("call.speech_started", into: &effects)
        case .speechEnded(let milliseconds):
            publish("call.speech_ended", with: ["speech": ["milliseconds": .integer(Int64(milliseconds))]], into: &effects)
        case .silence(let milliseconds):
            publish("call.silence_detected", with: ["silence": ["milliseconds": .integer(Int64(milliseconds))]], into: &effects)
        case .beep(let frequency, let milliseconds):
            let beep: JSONValue = ["frequency": .integer(Int64(frequency)), "milliseconds": .integer(Int64(milliseconds))]
            publish("call.beep_detected", with: ["beep": beep], into: &effects)
        case .fax(let side):
            publish("call.fax_detected", with: ["fax": ["tone": .string(side.rawValue)]], into: &effects)
        case .answerer(let answerer, let reason, let milliseconds):
            let amd: JSONValue = [
                "result": .string(answerer.rawValue), "reason": .string(reason), "milliseconds": .integer(Int64(milliseconds)),
            ]
            publish("call.amd_finished", with: ["amd": amd], into: &effects)
            if answerer == .machine { publish("call.machine_detected", with: ["amd": amd], into: &effects) }
        case .transcript, .transcriptFailed:
            break
        }
    }
}
