/// A run as it is stored, in two parts: the cursor changes at every step and is small, the lists of actions change only
/// when one is entered or left.
extension Run {
    public var lists: JSONValue { .array(frames.map { .array($0.actions.map(\.json)) }) }

    /// Cheap when nothing has changed: the arrays are then the very same.
    public func hasSameLists(as other: Run) -> Bool { frames.map(\.actions) == other.frames.map(\.actions) }

    public var cursor: JSONValue {
        var members: [String: JSONValue] = [
            "state": state.json, "step": .integer(Int64(step)), "variables": .object(variables.values),
            "frames": .array(frames.map(\.cursor)),
        ]
        if isAlone { members["alone"] = true }
        if executedAlone > 0 { members["executed_alone"] = .integer(Int64(executedAlone)) }
        members["composed"] = composed?.json
        if requests > 0 { members["requests"] = .integer(Int64(requests)) }
        if !variables.results.entries.isEmpty { members["results"] = variables.results.json }
        if !typedAhead.seen.isEmpty { members["typed_ahead"] = .string(typedAhead.seen) }
        if !typedAhead.left.isEmpty { members["keys_left"] = .string(typedAhead.left) }
        return .object(members)
    }

    /// What was stored is not what a run looks like: another version's, or damaged.
    public struct Unreadable: Error, Sendable, Hashable {
        public init() {}
    }

    public init(cursor: JSONValue, lists: JSONValue) throws(Unreadable) {
        guard let state = State(json: cursor["state"]), let step = cursor["step"]?.integer.flatMap(Int.init(exactly:)),
            let variables = cursor["variables"]?.object, let positions = cursor["frames"]?.array, let lists = lists.array,
            lists.count == positions.count
        else { throw Unreadable() }
        var frames: [Frame] = []
        for (list, position) in zip(lists, positions) {
            guard let frame = Frame(list: list, cursor: position) else { throw Unreadable() }
            frames.append(frame)
        }
        self.init(actions: [], variables: Variables(json: variables, results: Results(json: cursor["results"])), isAlone: cursor["alone"] == true)
        requests = cursor["requests"]?.integer.flatMap(Int.init(exactly:)) ?? 0
        (self.state, self.step, self.frames) = (state, step, frames)
        if let json = cursor["composed"] {
            guard let composed = Composed(json: json) else { throw Unreadable() }
            self.composed = composed
        }
        executedAlone = cursor["executed_alone"]?.integer.flatMap(Int.init(exactly:)) ?? 0
        typedAhead = TypedAhead(left: cursor["keys_left"]?.string ?? "", seen: cursor["typed_ahead"]?.string ?? "")
    }
}

extension Run.State {
    fileprivate var json: JSONValue {
        switch self {
        case .ready: [:]
        case .performing(let action): ["performing": action.json]
        case .waitingForFlow(let id, let action): ["flow": .string(id), "by": action.json]
        case .waitingForAnswer(let action, let number): ["request": .integer(Int64(number)), "by": action.json]
        case .waitingForDepot(let request): ["depot": request.json]
        case .parallel(let branches): ["parallel": branches.json]
        case .finished(let reason): ["finished": .string(reason.rawValue)]
        }
    }

    fileprivate init?(json: JSONValue?) {
        guard let members = json?.object else { return nil }
        if let action = members["performing"] {
            guard let action = Action(json: action) else { return nil }
            self = .performing(action)
        } else if let id = members["flow"]?.string {
            guard let action = members["by"].flatMap({ Action(json: $0) }) else { return nil }
            self = .waitingForFlow(id: id, action)
        } else if let number = members["request"]?.integer.flatMap(Int.init(exactly:)) {
            guard let action = members["by"].flatMap({ Action(json: $0) }) else { return nil }
            self = .waitingForAnswer(action, number: number)
        } else if let json = members["depot"] {
            guard let request = DepotRequest(json: json) else { return nil }
            self = .waitingForDepot(request)
        } else if let json = members["parallel"] {
            guard let branches = Branches(json: json) else { return nil }
            self = .parallel(branches)
        } else if let word = members["finished"]?.string {
            guard let reason = FinishReason(rawValue: word) else { return nil }
            self = .finished(reason)
        } else {
            self = .ready
        }
    }
}

extension Run.Frame {
    fileprivate var cursor: JSONValue {
        ["position": .integer(Int64(position)), "jumps": .object(jumps.mapValues { .integer(Int64($0)) })]
    }

    fileprivate init?(list: JSONValue, cursor: JSONValue) {
        guard let elements = list.array, let position = cursor["position"]?.integer.flatMap(Int.init(exactly:)), position >= 0
        else { return nil }
        let actions = elements.compactMap { Action(json: $0) }
        guard actions.count == elements.count else { return nil }
        self.init(actions)
        self.position = position
        jumps = (cursor["jumps"]?.object ?? [:]).compactMapValues { $0.integer.flatMap(Int.init(exactly:)) }
    }
}
