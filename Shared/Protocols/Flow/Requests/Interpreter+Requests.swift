/// Requests to web servers: which one an action makes, and what its answer does to the run.
extension Interpreter {
    /// The request of an action whose variables are filled in; nil when the action makes none.
    func request(of action: Action, in run: Run, number: Int) -> FlowRequest? {
        switch action.kind {
        case .fetch(let option):
            let hasBody = option.eventMethod != .get && option.eventMethod != .delete
            return FlowRequest(
                url: option.eventURL, method: option.eventMethod, headers: Self.allowed(option.headers),
                body: hasBody ? question(option, of: action, run).jsonText : nil, contentType: hasBody ? "application/json" : nil,
                timeout: option.timeout, retries: option.retries, number: number)
        case .httpRequest(let option):
            let body = option.json.map(\.jsonText) ?? option.body
            return FlowRequest(
                url: option.url, method: option.method, headers: Self.allowed(option.headers), body: body,
                contentType: option.json != nil ? "application/json" : body == nil ? nil : "text/plain; charset=utf-8",
                timeout: option.timeout, retries: option.retries, number: number)
        case .webhookSend(let option):
            return FlowRequest(
                url: option.uri, method: option.method, headers: Self.allowed(option.headers), body: option.data,
                contentType: option.data == nil ? nil : option.dataType ?? "application/json", timeout: option.timeout,
                retries: option.retries, number: number)
        default: return nil
        }
    }

    /// A value that a variable has made two lines of is no header.
    private static func allowed(_ headers: [String: String]) -> [String: String] {
        headers.filter { RequestCheck.isAllowed($0.key) && $0.value.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 9 } }
    }

    /// What `fetch` tells the application, as VoIPbin's does, and which action asks.
    private func question(_ option: Fetch, of action: Action, _ run: Run) -> JSONValue {
        var members: [String: JSONValue] = [
            "activeflow_id": .string(run.variables["voipbin.activeflow.id"]),
            "reference_id": .string(run.variables["voipbin.activeflow.reference_id"]),
            "flow_id": .string(run.variables["voipbin.activeflow.flow_id"]), "action_id": .string(action.id),
        ]
        if option.sendVariables {
            members["variables"] = .object(run.variables.values)
            members["results"] = .object(
                Dictionary(run.variables.results.entries.map { ($0.action, .object($0.result)) }, uniquingKeysWith: { $1 }))
        }
        return .object(members)
    }

    /// Takes the answer to the request that `.needAnswer` asked for.
    public func supply(_ run: inout Run, _ answer: FlowAnswer, to number: Int, at time: Int64) -> Progress {
        if case .parallel = run.state { return supplyBranch(&run, answer, to: number, at: time) }
        var trail = Trail()
        return supply(&run, answer, to: number, at: time, &trail)
    }

    func supply(_ run: inout Run, _ answer: FlowAnswer, to number: Int, at time: Int64, _ trail: inout Trail) -> Progress {
        guard case .waitingForAnswer(let action, number) = run.state else { return Progress(next: run.current) }
        follow(action, in: &run)
        let hasActions = action.kind.expectsActions(in: answer)
        let body = answer.document(isExpected: hasActions) ?? .string(answer.body)
        var outcome = answer.outcome(body: body)
        if answer.isSuccess {
            if let name = action.kind.answerVariable, let code = keep(body, as: name, in: &run) {
                // The actions may rely on what was to be kept: none is begun.
                (outcome.result, outcome.code) = (.failed, code)
            } else if hasActions, let refusal = take(body, in: &run) {
                (outcome.result, outcome.code) = (refusal.result, refusal.code)
                outcome.data = (outcome.data ?? [:]).merging(refusal.data ?? [:]) { $1 }
            }
        }
        record(outcome, of: action, in: &run)
        trail.occurrences.append(.finished(action, step: nil, outcome))
        return proceed(&run, at: time, &trail)
    }

    /// Actions that the application answers with: a list, or an object with `actions`. Nil when they are taken.
    private func take(_ body: JSONValue, in run: inout Run) -> Outcome? {
        let list = body["actions"] ?? body
        switch Validation(limits: limits, timeZones: timeZones).actions(list, at: body["actions"] == nil ? "" : "/actions") {
        case .success(let actions): return enter(actions, in: &run) ? nil : .failed("nested_too_deeply")
        case .failure(let problems):
            let told = problems.list.prefix(5).map { problem -> JSONValue in
                ["pointer": .string(problem.pointer), "code": .string(problem.code.rawValue), "detail": .string(problem.detail)]
            }
            return Outcome(.failed, code: "invalid_actions", data: ["errors": .array(Array(told))])
        }
    }
}

extension Action.Kind {
    /// Whether the answer is to hold actions. Who is told something may answer with nothing; who is asked what to do says so by an empty list.
    fileprivate func expectsActions(in answer: FlowAnswer) -> Bool {
        switch self {
        case .fetch: true
        case .webhookSend(let option): option.runActions && !answer.isEmpty
        default: false
        }
    }

    /// The variable for the body of the answer.
    fileprivate var answerVariable: String? {
        switch self {
        case .httpRequest(let option): option.variable
        case .webhookSend(let option): option.variable
        default: nil
        }
    }
}
