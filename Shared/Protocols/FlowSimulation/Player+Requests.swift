import Flow

/// Web servers of the file, and what goes on while they are asked.
extension Player {
    struct Arrival {
        let number: Int
        /// Milliseconds since the first action.
        let time: Int
        let answer: FlowAnswer
    }

    /// The answer that comes first; every request that the run waits for is on its way.
    mutating func nextAnswer() -> Arrival? {
        let open = run.openRequests
        for request in open where arriving[request.number] == nil { arriving[request.number] = ask(request) }
        return open.compactMap { arriving[$0.number] }.min { ($0.time, $0.number) < ($1.time, $1.number) }
    }

    /// Performs an action while branches beside it wait for answers. Nil: one of these has put an end to it, and `progress` is what
    /// the run wants instead.
    mutating func performBeside(_ action: Action, _ step: Int, _ progress: inout Interpreter.Progress) -> Outcome? {
        guard let first = nextAnswer() else { return perform(action) }
        let before = self
        let outcome = perform(action)
        var coming: Arrival? = first
        while let arrival = coming, arrival.time < now {
            var moved = run
            let next = interpreter.supply(&moved, arrival.answer, to: arrival.number, at: script.time + Int64(arrival.time / 1000))
            guard case .perform(_, let wanted) = next.next, wanted == step else {
                // Back to when the answer came: what the caller has done until then it has done.
                let heard = report.heard
                self = before
                report.heard = heard
                if pass(arrival.time - now) { return .callEnded }
                note("\(action.id): canceled")
                (run, arriving[arrival.number]) = (moved, nil)
                progress = next
                return nil
            }
            (run, arriving[arrival.number]) = (moved, nil)
            take(next)
            coming = nextAnswer()
        }
        return outcome
    }

    /// Asks as often as the request says, and tells when its answer is there.
    private mutating func ask(_ request: FlowRequest) -> Arrival {
        report.requests.append("\(request.method.rawValue) \(request.url)")
        let server = script.servers.keys.filter { request.url.hasPrefix($0) }.max { $0.utf8.count < $1.utf8.count }
        var answer = FlowAnswer(failure: "unreachable")
        var time = now
        for attempt in 0...request.retries {
            if attempt > 0 { time += FlowRequest.pause(before: attempt) }
            if let server, let list = script.servers[server], !list.isEmpty {
                answer = list[min(answered[server, default: 0], list.count - 1)].answer
                answered[server, default: 0] += 1
            }
            if answer.milliseconds > request.timeout { answer = FlowAnswer(failure: "timeout", milliseconds: request.timeout) }
            answer.attempts = attempt + 1
            time += answer.milliseconds
            report.events.append(
                Report.Event(time: time, what: "\(request.method.rawValue) \(request.url): \(answer.status.map(String.init) ?? answer.failure ?? "")"))
            if !answer.mayBeRepeated { break }
        }
        return Arrival(number: request.number, time: time, answer: answer)
    }
}
