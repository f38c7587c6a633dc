import Contracts
import Deadlines
import Flow

/// `gather` on a call: what `Gathering` wants done, with prompts, keys, a transcription of its own and the action's timer.
extension Leg {
    private static let gatherWatch = "gather"

    private var gatherOption: Gather? {
        guard let performing, performing.isStarted, pendingOutcome == nil, case .gather(let option) = performing.action.kind else { return nil }
        return option
    }

    mutating func gather(_ option: Gather, at moment: Moment, into effects: inout [LegEffect]) {
        var gathering = Gathering()
        let commands = gathering.begin(option, ahead: option.typedAhead + digits)
        digits = ""
        performing?.gathering = gathering
        if option.takes(.speech) { listen(option.watch(Self.gatherWatch, at: moment.time), into: &effects) }
        follow(commands, option, at: moment, into: &effects)
    }

    mutating func stopGathering(into effects: inout [LegEffect]) { stopListening(Self.gatherWatch, into: &effects) }

    /// True when a `gather` has the key.
    mutating func gathers(_ digit: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let option = gatherOption, let key = digit.first else { return false }
        gathering(option, at: moment, into: &effects) { $0.pressed(key, option) }
        return true
    }

    /// True when the prompt was a `gather`'s.
    mutating func gatherPromptEnded(at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard let option = gatherOption else { return false }
        gathering(option, at: moment, into: &effects) { $0.promptEnded(option) }
        return true
    }

    mutating func gatherTimeIsUp(at moment: Moment, into effects: inout [LegEffect]) {
        guard let option = gatherOption else { return }
        gathering(option, at: moment, into: &effects) { $0.timeIsUp(option) }
    }

    /// True when the finding was of a `gather`'s own watch.
    mutating func gatherHeard(_ finding: Finding, by watchID: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard watchID == Self.gatherWatch else { return false }
        guard let option = gatherOption else { return true }
        switch finding {
        case .speechStarted: gathering(option, at: moment, into: &effects) { $0.speechBegan(option) }
        case .transcript(let transcript):
            gathering(option, at: moment, into: &effects) {
                $0.heard(transcript.text, confidence: transcript.confidence, isFinal: transcript.isFinal, option)
            }
        case .transcriptFailed(_, let code, _): gatherFailed(code, at: moment, into: &effects)
        case .speechEnded, .silence, .beep, .fax, .answerer: break
        }
        return true
    }

    /// True when it was the watch of a `gather` that the room does not keep.
    mutating func gatherFailed(_ watchID: String, _ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard watchID == Self.gatherWatch else { return false }
        gatherFailed(error.problems.first?.code ?? error.code.rawValue, at: moment, into: &effects)
        return true
    }

    private mutating func gatherFailed(_ code: String, at moment: Moment, into effects: inout [LegEffect]) {
        guard let option = gatherOption else { return }
        gathering(option, at: moment, into: &effects) { $0.speechFailed(code, option) }
    }

    private mutating func gathering(
        _ option: Gather, at moment: Moment, into effects: inout [LegEffect], _ event: (inout Gathering) -> [Gathering.Command]
    ) {
        guard var gathering = performing?.gathering else { return }
        let commands = event(&gathering)
        performing?.gathering = gathering
        follow(commands, option, at: moment, into: &effects)
    }

    private mutating func follow(
        _ commands: [Gathering.Command], _ option: Gather, at moment: Moment, into effects: inout [LegEffect]
    ) {
        for command in commands {
            switch command {
            case .prompt(let prompt):
                deadlines[.action] = nil
                play(Self.sources(prompt, option), of: "\(performing?.gathering?.attempt ?? 1)", at: moment, into: &effects)
            case .stopPrompt:
                guard let playID = performing?.playID else { break }
                performing?.playID = nil
                deadlines[.play] = nil
                effects.append(.stopPlay(playID: playID))
            case .wait(let milliseconds): deadlines[.action] = moment.now + .milliseconds(milliseconds)
            case .partial(let text): publish("call.gather_partial", with: ["speech": ["text": .string(text)]], into: &effects)
            case .finish(let outcome):
                digits = performing?.gathering?.rest ?? ""
                stopListening(Self.gatherWatch, into: &effects)
                finish(outcome, at: moment, into: &effects)
            }
        }
    }

    static func sources(_ prompt: Gathering.Prompt, _ option: Gather) -> [PlaySource] {
        let voice = option.voiceID != nil || option.provider != nil ? SpeechVoice(name: option.voiceID, provider: option.provider) : nil
        func speech(_ text: String) -> PlaySource { .speech(text: text, language: option.language, voice: voice) }
        let question: [PlaySource] = option.text.map { [speech($0)] } ?? option.streamURLs.map { .url($0) }
        if case .hint(let text) = prompt { return [speech(text)] + question }
        return question
    }

    /// Nobody answers a question while the leg sits elsewhere.
    mutating func interruptGather(into effects: inout [LegEffect]) {
        guard gatherOption != nil else { return }
        heldOutcome = heldOutcome ?? .failed("interrupted")
        performing?.gathering = nil
        deadlines[.action] = nil
        stopListening(Self.gatherWatch, into: &effects)
    }

    /// What is heard of it is asked for again in a room that goes on with the call.
    mutating func promptOfGather() -> [PlaySource]? {
        guard let option = gatherOption, performing?.playID != nil else { return nil }
        return Self.sources(.question, option)
    }
}

extension Gather {
    /// What is to be heard of an answer that is spoken.
    func watch(_ id: String, at time: Timestamp) -> Watch {
        let provider = speechProvider.flatMap { [.gcp, .aws].contains($0) ? nil : $0.rawValue }
        let transcription = Transcription(
            id: id, language: speechLanguage ?? language, provider: provider, url: speechProviderURL, direction: .in, hints: allHints,
            interim: interim, startedAt: time)
        return Watch(id: id, speech: true, transcription: transcription)
    }
}
