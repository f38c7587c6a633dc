import Flow

/// `dial` with the callees of the file.
extension Player {
    private struct Attempt {
        let number: String
        let callee: Trial.Callee
        /// Milliseconds until it has its answer, or rings no more.
        let ends: Int
        let result: Outcome.Result
    }

    mutating func dial(_ option: Dial) -> Outcome {
        var told: [JSONValue] = []
        var last: [Attempt] = []
        for round in option.rounds {
            let attempts = round.map { attempt($0, option) }
            report.called += attempts.map(\.number)
            let winner = attempts.filter { $0.result == .completed }.min { $0.ends < $1.ends }
            if pass(winner?.ends ?? attempts.map(\.ends).max() ?? 0) { return .callEnded }
            for attempt in attempts {
                let result = attempt.result == .completed && attempt.number != winner?.number ? Outcome.Result.canceled : attempt.result
                told.append(["number": .string(attempt.number), "result": .string(result.rawValue)])
            }
            if let winner {
                note("\(winner.number) answers")
                if pass(winner.callee.talks) { return .callEnded }
                digits = ""
                return Outcome(.completed, data: ["number": .string(winner.number), "attempts": .array(told)])
            }
            last = attempts
        }
        let result = last.last?.result ?? .failed
        return Outcome(result, code: result == .failed ? "480" : nil, data: ["attempts": .array(told)])
    }

    /// `transfer` by REFER: the caller's phone rings it, and leaves when it is answered.
    mutating func refer(_ option: Transfer) -> Outcome {
        guard let destination = option.destinations.first else { return .failed("no_reachable_destination") }
        let (number, callee) = callee(destination)
        report.called.append(number)
        if pass(min(callee.rings, option.timeout)) { return .callEnded }
        switch callee.answer {
        case .busy: return .busy
        case .declined: return .declined
        case .unreachable: return .failed("480")
        case .noAnswer: return .noAnswer
        case .answer, .machine:
            guard callee.rings <= option.timeout else { return .noAnswer }
            note("\(number) answers the caller's phone")
            return .completed
        }
    }

    /// What comes of ringing one target, confirmation included.
    private func attempt(_ target: Dial.Target, _ option: Dial) -> Attempt {
        let (number, callee) = callee(target.address)
        let timeout = target.timeout ?? option.timeout
        func ended(_ result: Outcome.Result, _ after: Int) -> Attempt { Attempt(number: number, callee: callee, ends: after, result: result) }
        switch callee.answer {
        case .busy: return ended(.busy, min(callee.rings, timeout))
        case .declined: return ended(.declined, min(callee.rings, timeout))
        case .unreachable: return ended(.failed, min(callee.rings, timeout))
        case .noAnswer: return ended(.noAnswer, timeout)
        case .answer, .machine: break
        }
        guard callee.rings <= timeout else { return ended(.noAnswer, timeout) }
        let whisper = (option.whisperText?.count ?? 0) * Self.perCharacter
        guard let text = option.confirmText else { return ended(.completed, callee.rings + whisper) }
        let asked = callee.rings + text.count * Self.perCharacter
        if callee.answer == .answer, callee.presses.contains(where: option.confirmKey.contains) { return ended(.completed, asked + whisper) }
        return ended(.noAnswer, asked + option.confirmTimeout)
    }
}
