/// The branches of a `parallel` that goes on. Each is a run of its own, with the variables as they were when it began; what it has
/// changed goes into the run when it has ended.
public struct Branches: Sendable, Hashable {
    struct Branch: Sendable, Hashable {
        let name: String
        var run: Run
        /// Counts the branches that have ended, in that order; nil while it goes on.
        var place: Int?
    }

    let action: Action
    let until: Parallel.Until
    var list: [Branch] = []

    init(action: Action, until: Parallel.Until) { (self.action, self.until) = (action, until) }

    var isDone: Bool {
        switch until {
        case .all: list.allSatisfy { $0.place != nil }
        case .first: list.contains { $0.place != nil }
        }
    }

    /// The branch whose action is being performed on the call.
    var performing: Int? { list.firstIndex { if case .performing = $0.run.state { true } else { false } } }

    mutating func noteEnds() {
        for index in list.indices where list[index].place == nil {
            if case .finished = list[index].run.state { list[index].place = list.count { $0.place != nil } }
        }
    }

    /// For `results.ID`: which was first, and how each has ended.
    var data: [String: JSONValue] {
        var each: [String: JSONValue] = [:]
        for branch in list {
            guard branch.place != nil else {
                each[branch.name] = ["result": .string(Outcome.Result.canceled.rawValue)]
                continue
            }
            var told: [String: JSONValue] = ["result": .string(branch.run.variables[Variables.actionResult])]
            let code = branch.run.variables[Variables.actionCode]
            if !code.isEmpty { told["code"] = .string(code) }
            each[branch.name] = .object(told)
        }
        var data: [String: JSONValue] = ["branches": .object(each)]
        data["first"] = (list.first { $0.place == 0 }?.name).map(JSONValue.string)
        return data
    }

    /// Puts what the ended branches have changed into the variables they began with; of two that have set the same one, the later has it.
    func merge(into run: inout Run, within limits: Limits) {
        let base = (values: run.variables.values, results: run.variables.results)
        let ended = list.filter { $0.place != nil }.sorted { ($0.place ?? 0) < ($1.place ?? 0) }
        for branch in ended {
            for (name, value) in branch.run.variables.values.sorted(by: { $0.key < $1.key }) where base.values[name] != value {
                if name == Variables.actionResult || name == Variables.actionCode { continue }
                _ = run.variables.set(name, to: value, within: limits)
            }
            for entry in branch.run.variables.results.entries where !base.results.entries.contains(entry) {
                run.variables.record(entry)
            }
        }
        // A key that was pressed is not lost because another branch was faster.
        if let call = list.first(where: { $0.run.hasCall }) { run.typedAhead = call.run.typedAhead }
    }
}

extension Branches {
    var json: JSONValue {
        [
            "of": action.json, "until": .string(until.rawValue),
            "list": .array(
                list.map { branch in
                    var members: [String: JSONValue] = [
                        "name": .string(branch.name), "cursor": branch.run.cursor, "lists": branch.run.lists, "call": .bool(branch.run.hasCall),
                    ]
                    members["place"] = branch.place.map { .integer(Int64($0)) }
                    return .object(members)
                }),
        ]
    }

    init?(json: JSONValue) {
        guard let action = json["of"].flatMap({ Action(json: $0) }), let until = json["until"]?.string.flatMap(Parallel.Until.init),
            let elements = json["list"]?.array
        else { return nil }
        var list: [Branch] = []
        for element in elements {
            guard let name = element["name"]?.string, let cursor = element["cursor"], let lists = element["lists"],
                var run = try? Run(cursor: cursor, lists: lists)
            else { return nil }
            run.role = element["call"] == .bool(true) ? .branchWithCall : .branch
            list.append(Branch(name: name, run: run, place: element["place"]?.integer.flatMap(Int.init(exactly:))))
        }
        (self.action, self.until, self.list) = (action, until, list)
    }
}
