/// `call`: one call after the other is asked for, and nothing of them is waited for.
struct CallWork: Sendable, Hashable {
    /// Of what the run has asked of others: names the calls for ever.
    var number = 0
    /// What became of those that were asked for: the id, or why there is no call.
    var made: [Made] = []

    struct Made: Sendable, Hashable {
        var callID: String?
        var code: String?
    }

    func next(_ option: CallOut, _ setting: Composed.Setting) -> Composed.Part {
        // A variable may have named none.
        guard option.flow != nil || !option.actions.isEmpty else { return .done(.failed("not_found")) }
        guard option.destinations.indices.contains(made.count) else { return .done(outcome(option)) }
        let isHidden = option.anonymous == .yes || (option.anonymous != .no && option.source == nil && setting.isAnonymous)
        let order = CallRequest(
            runID: setting.runID, number: number, index: made.count, to: option.destinations[made.count],
            from: isHidden ? "anonymous" : option.source.map(\.number) ?? setting.from, name: isHidden ? "Anonymous" : option.source?.name ?? "",
            flowID: option.flow, actions: option.flow == nil ? option.actions : [], chainedTo: option.chained ? setting.callID : nil,
            isEarly: option.earlyExecution)
        return .ask(.call(order))
    }

    mutating func take(_ reply: DepotReply) {
        switch reply {
        case .called(let id): made.append(Made(callID: id))
        case .refused(let code): made.append(Made(code: code))
        default: made.append(Made(code: "unreadable"))
        }
    }

    private func outcome(_ option: CallOut) -> Outcome {
        let ids = made.compactMap(\.callID)
        let calls = zip(option.destinations, made).map { address, made -> JSONValue in
            var members: [String: JSONValue] = ["number": .string(address.target)]
            members["call_id"] = made.callID.map(JSONValue.string)
            members["code"] = made.code.map(JSONValue.string)
            return .object(members)
        }
        return Outcome(
            ids.isEmpty ? .failed : .completed, code: ids.isEmpty ? made.last?.code ?? "no_reachable_destination" : nil,
            data: ["call_ids": .array(ids.map(JSONValue.string)), "calls": .array(calls)])
    }
}

extension CallWork {
    var json: JSONValue {
        [
            "number": .integer(Int64(number)),
            "made": .array(made.map { ["id": $0.callID.map(JSONValue.string) ?? .null, "code": $0.code.map(JSONValue.string) ?? .null] }),
        ]
    }

    init?(json: JSONValue) {
        guard let number = json["number"]?.integer, let elements = json["made"]?.array else { return nil }
        self.number = Int(clamping: number)
        made = elements.map { Made(callID: $0["id"]?.string, code: $0["code"]?.string) }
    }
}

/// A call that a run wants made. Run, number and index name it for ever: asked for twice it is made once.
public struct CallRequest: Sendable, Hashable {
    public var runID: String
    public var number: Int
    public var index: Int
    public var to: Address
    public var from: String
    /// Who calls, in words.
    public var name: String
    public var flowID: String?
    public var actions: [Action]
    /// The call that it is to end with.
    public var chainedTo: String?
    public var isEarly: Bool
}

extension CallRequest {
    var json: JSONValue {
        var members: [String: JSONValue] = [
            "run": .string(runID), "number": .integer(Int64(number)), "index": .integer(Int64(index)), "kind": .string(to.kind.rawValue),
            "to": .string(to.target), "from": .string(from), "name": .string(name), "actions": .array(actions.map(\.json)), "early": .bool(isEarly),
        ]
        members["flow"] = flowID.map(JSONValue.string)
        members["chained"] = chainedTo.map(JSONValue.string)
        return .object(members)
    }

    init?(json: JSONValue) {
        guard let runID = json["run"]?.string, let number = json["number"]?.integer, let index = json["index"]?.integer,
            let kind = json["kind"]?.string.flatMap(Address.Kind.init), let to = json["to"]?.string, let from = json["from"]?.string,
            let elements = json["actions"]?.array
        else { return nil }
        let actions = elements.compactMap { Action(json: $0) }
        guard actions.count == elements.count else { return nil }
        self.init(
            runID: runID, number: Int(clamping: number), index: Int(clamping: index), to: Address(kind: kind, target: to), from: from,
            name: json["name"]?.string ?? "", flowID: json["flow"]?.string, actions: actions, chainedTo: json["chained"]?.string,
            isEarly: json["early"] == true)
    }
}

extension Address {
    /// What it is called by within its customer's domain.
    var number: String {
        guard kind == .sip else { return target }
        let scheme = ["sip:", "sips:"].first { target.hasPrefix($0) } ?? ""
        return String(target.dropFirst(scheme.count).prefix { $0 != "@" && $0 != ";" })
    }
}
