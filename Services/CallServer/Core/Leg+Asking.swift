import Contracts
import Deadlines
import Flow

/// A question that the API asks on a call, beside what its flow does: `Gathering` with a prompt, a watch and a timer of its own. What came of
/// it is told by an event.
extension Leg {
    struct Asking: Codable, Sendable {
        var id: String
        /// A `gather`.
        var action: Action
        var gathering = Gathering()
        /// Who is told what came of it.
        var webhook: String?
        /// The prompt that is heard.
        var playID: String?

        var option: Gather? { if case .gather(let option) = action.kind { option } else { nil } }
    }

    private static let askingWatch = "ask"

    /// Why nothing can be asked; nil when it can.
    var objectionToAsking: String? {
        if isEnded { return "the call is over" }
        guard isTalking, seat.supervises == nil else { return "the call is not talked through" }
        if asking != nil { return "something is being asked already" }
        if case .gather? = performing?.action.kind { return "the flow is asking something" }
        return nil
    }

    mutating func ask(_ id: String, _ action: Action, _ webhook: String? = nil, at moment: Moment, into effects: inout [LegEffect]) {
        guard objectionToAsking == nil, case .gather(let option) = action.kind else { return }
        var asking = Asking(id: id, action: action, webhook: webhook)
        // What was pressed before was pressed for the flow.
        let commands = asking.gathering.begin(option, ahead: "")
        self.asking = asking
        if option.takes(.speech) { listen(option.watch(Self.askingWatch, at: moment.time), into: &effects) }
        follow(commands, at: moment, into: &effects)
    }

    /// True when the key is part of an answer.
    mutating func asks(_ digit: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard asking?.option?.takes(.digits) == true, let key = digit.first else { return false }
        asked(at: moment, into: &effects) { $0.pressed(key, $1) }
        return true
    }

    mutating func askingPlayed(_ playID: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard asking?.playID == playID else { return false }
        asking?.playID = nil
        asked(at: moment, into: &effects) { $0.promptEnded($1) }
        return true
    }

    mutating func askingTimeIsUp(at moment: Moment, into effects: inout [LegEffect]) {
        asked(at: moment, into: &effects) { $0.timeIsUp($1) }
    }

    /// True when the finding was of its watch.
    mutating func askingHeard(_ finding: Finding, by watchID: String, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard watchID == Self.askingWatch else { return false }
        switch finding {
        case .speechStarted: asked(at: moment, into: &effects) { $0.speechBegan($1) }
        case .transcript(let transcript):
            asked(at: moment, into: &effects) { $0.heard(transcript.text, confidence: transcript.confidence, isFinal: transcript.isFinal, $1) }
        case .transcriptFailed(_, let code, _): asked(at: moment, into: &effects) { $0.speechFailed(code, $1) }
        case .speechEnded, .silence, .beep, .fax, .answerer: break
        }
        return true
    }

    /// The room keeps no such watch: digits may still come.
    mutating func askingFailed(_ watchID: String, _ error: RPCError, at moment: Moment, into effects: inout [LegEffect]) -> Bool {
        guard watchID == Self.askingWatch else { return false }
        let code = error.problems.first?.code ?? error.code.rawValue
        asked(at: moment, into: &effects) { $0.speechFailed(code, $1) }
        return true
    }

    /// It is of no use any more.
    mutating func stopAsking(_ code: String, into effects: inout [LegEffect]) {
        guard asking != nil else { return }
        stopPrompt(into: &effects)
        answered(.failed(code), into: &effects)
    }

    /// The question is heard from the beginning in the room that the call comes to.
    mutating func askAgain(into effects: inout [LegEffect]) {
        guard let asking, let playID = asking.playID, let option = asking.option else { return }
        effects.append(.play(playID: playID, Self.sources(.question, option), loop: false, stopOnDigit: false))
    }

    private mutating func asked(at moment: Moment, into effects: inout [LegEffect], _ event: (inout Gathering, Gather) -> [Gathering.Command]) {
        guard var asking, let option = asking.option else { return }
        let commands = event(&asking.gathering, option)
        self.asking = asking
        follow(commands, at: moment, into: &effects)
    }

    private mutating func follow(_ commands: [Gathering.Command], at moment: Moment, into effects: inout [LegEffect]) {
        for command in commands {
            guard let current = asking, let option = current.option else { return }
            switch command {
            case .prompt(let prompt):
                deadlines[.asking] = nil
                let playID = "\(current.id)/\(current.gathering.attempt)"
                asking?.playID = playID
                effects.append(.play(playID: playID, Self.sources(prompt, option), loop: false, stopOnDigit: false))
            case .stopPrompt: stopPrompt(into: &effects)
            case .wait(let milliseconds): deadlines[.asking] = moment.now + .milliseconds(milliseconds)
            case .partial(let text):
                publish("call.gather_partial", with: ["gather": ["id": .string(current.id)], "speech": ["text": .string(text)]], into: &effects)
            case .finish(let outcome): answered(outcome, into: &effects)
            }
        }
    }

    private mutating func stopPrompt(into effects: inout [LegEffect]) {
        guard let playID = asking?.playID else { return }
        asking?.playID = nil
        effects.append(.stopPlay(playID: playID))
    }

    private mutating func answered(_ outcome: Outcome, into effects: inout [LegEffect]) {
        guard let current = asking else { return }
        asking = nil
        deadlines[.asking] = nil
        stopListening(Self.askingWatch, into: &effects)
        var result: [String: JSONValue] = outcome.data ?? [:]
        result["id"] = .string(current.id)
        result["result"] = .string(outcome.result.rawValue)
        result["code"] = outcome.code.map(JSONValue.string)
        result["webhook_url"] = current.webhook.map(JSONValue.string)
        if let digits = outcome.digits { result["digits"] = .string(digits) }
        publish("call.gathered", with: ["gather": .object(result)], into: &effects)
    }
}
