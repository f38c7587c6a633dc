import Contracts
import Deadlines
import Flow

/// Tones and header fields that a flow asks for, and what it is told of the state of its call.
extension Leg {
    struct Header: Codable, Sendable, Equatable {
        var name: String
        var value: String
    }

    private static let mostHeaders = 32

    /// Makes each question to FlowManager a question of its own, where patience was asked for.
    var polls: String { flowPolls.map { "/\($0)" } ?? "" }

    /// A tone of call progress is repeated for as long as it was asked for; one of a frequency has its length.
    mutating func playTone(_ option: PlayTone, at moment: Moment, into effects: inout [LegEffect]) {
        let repeats = option.tone != nil && option.duration != nil
        play(option.sources, stopOnDigit: option.digitsHandle == .next, loop: repeats, at: moment, into: &effects)
        guard repeats, let duration = option.duration else { return }
        deadlines[.play] = nil
        deadlines[.action] = moment.now + .milliseconds(duration)
    }

    mutating func setHeader(_ option: SetHeader, at moment: Moment, into effects: inout [LegEffect]) {
        var headers = (headers ?? []).filter { $0.name.lowercased() != option.name.lowercased() }
        // Variables may have made anything of them.
        guard SetHeader.isAllowed(option.name), SetHeader.isValue(option.value) else {
            return finish(.failed("invalid_header"), at: moment, into: &effects)
        }
        guard option.value.isEmpty || headers.count < Self.mostHeaders else {
            return finish(.failed("too_many_headers"), at: moment, into: &effects)
        }
        if !option.value.isEmpty { headers.append(Header(name: option.name, value: option.value)) }
        self.headers = headers.isEmpty ? nil : headers
        finish(.completed, at: moment, into: &effects)
    }

    /// Those that its phone sees; which way the call goes on is told to those who are called.
    var headersForCaller: [Header] { (headers ?? []).filter { !Self.ofTheWay.contains($0.name.lowercased()) } }

    private static let ofTheWay: Set<String> = ["diversion", "history-info"]

    /// VoIPbin's words for the state of a call; `condition_call_status` asks for them.
    var statusWord: ConditionCallStatus.Status {
        switch phase {
        case .preparing: isInbound ? .ringing : .dialing
        case .ringing: .ringing
        case .up: .progressing
        case .ended: .hangup
        }
    }

    /// What FlowManager is told with every outcome.
    func withStatus(_ outcome: Outcome) -> Outcome {
        var outcome = outcome
        outcome.variables = [Variables.callStatus: statusWord.rawValue].merging(outcome.variables ?? [:]) { $1 }
        return outcome
    }
}

extension PlayTone {
    var sources: [PlaySource] {
        if let frequency { return [.tone(frequency: Double(frequency), milliseconds: duration ?? 500)] }
        return [.signal(name: tone?.rawValue ?? Tone.beep.rawValue, country: country)]
    }
}

extension Action.Kind {
    var makesCalls: Bool {
        switch self {
        case .connect, .dial: true
        default: false
        }
    }

    var isEcho: Bool {
        switch self {
        case .echo, .streamEcho: true
        default: false
        }
    }
}
