/// Understands a list of actions, or says everything that is wrong with it.
public struct Validation: Sendable {
    public var limits: Limits
    public var timeZones: TimeZones
    /// Gives an action without an id one, from its place in the list. Deterministic sources give reproducible flows.
    public var makeID: @Sendable (_ position: Int) -> String

    public init(
        limits: Limits = Limits(), timeZones: TimeZones = .utc,
        makeID: @escaping @Sendable (Int) -> String = { "action_\($0 + 1)" }
    ) {
        (self.limits, self.timeZones, self.makeID) = (limits, timeZones, makeID)
    }

    /// Reads the JSON text of a list of actions; `pointer` says where the list stands in the document people know.
    public func actions(json: [UInt8], at pointer: String = "/actions") -> Result<[Action], Problems> {
        do throws(JSONError) {
            return actions(try JSONValue(json: json, limits: limits.json), at: pointer)
        } catch {
            return .failure(Problems([Problem(pointer: pointer, code: .invalidJSON, detail: error.description)]))
        }
    }

    public func actions(_ value: JSONValue, at pointer: String = "/actions", depth: Int = 0) -> Result<[Action], Problems> {
        guard let elements = value.array else {
            let detail = "an array of actions is expected here, not \(value.typeName)"
            return .failure(Problems([Problem(pointer: pointer, code: .wrongType, detail: detail)]))
        }
        guard elements.count <= limits.actions else {
            let detail = "at most \(limits.actions) actions, not \(elements.count)"
            return .failure(Problems([Problem(pointer: pointer, code: .tooMany, detail: detail)]))
        }
        var reading = ListReading(validation: self, elements: elements, pointer: pointer, depth: depth)
        let actions = reading.read()
        guard reading.problems.isEmpty else {
            return .failure(Problems(Array(reading.problems.prefix(limits.problems))))
        }
        return .success(actions)
    }
}

/// One list while it is read: ids first, so that targets may point forward.
private struct ListReading {
    let validation: Validation
    let elements: [JSONValue]
    let pointer: String
    let depth: Int
    private(set) var problems: [Problem] = []
    private var ids: [String] = []

    init(validation: Validation, elements: [JSONValue], pointer: String, depth: Int) {
        (self.validation, self.elements, self.pointer, self.depth) = (validation, elements, pointer, depth)
    }

    mutating func read() -> [Action] {
        assignIDs()
        let known = Set(ids)
        var actions: [Action] = []
        for (index, element) in elements.enumerated() {
            let pointer = pointer.pointing(at: index)
            guard let members = element.object else {
                note(pointer, .wrongType, "an action is an object, not \(element.typeName)")
                continue
            }
            var reader = ActionReader(
                members, at: pointer, id: ids[index], limits: validation.limits, timeZones: validation.timeZones, depth: depth)
            let action = reader.read()
            problems += reader.problems
            for target in reader.targets where !known.contains(target.id) && !ReservedID.contains(target.id) {
                note(target.pointer, .unknownTarget, "no action of this list has the id \"\(target.id)\"")
            }
            if let action { actions.append(action) }
        }
        return actions
    }

    private mutating func note(_ pointer: String, _ code: Problem.Code, _ detail: String) {
        problems.append(Problem(pointer: pointer, code: code, detail: detail))
    }

    private mutating func assignIDs() {
        var taken: [String: Int] = [:]
        for (index, element) in elements.enumerated() {
            let pointer = pointer.pointing(at: index).pointing(at: "id")
            var given = ""
            switch element["id"] {
            case nil, .null: break
            case .string(let id) where id.utf8.count > validation.limits.identifier:
                note(pointer, .tooLong, "at most \(validation.limits.identifier) bytes, not \(id.utf8.count)")
            case .string(let id) where ReservedID.contains(id):
                note(pointer, .reservedID, "this id is reserved")
            case .string(let id) where id != ReservedID.none: given = id
            case .string: break
            case .some(let value): note(pointer, .wrongType, "an id is a string, not \(value.typeName)")
            }
            if !given.isEmpty, let first = taken.updateValue(index, forKey: given) {
                note(pointer, .duplicateID, "the action at \(self.pointer)/\(first) has this id as well")
            }
            ids.append(given)
        }
        for index in ids.indices where ids[index].isEmpty {
            let made = validation.makeID(index)
            // An author may have used the same word; the suffix keeps ids unique and reproducible.
            var (id, suffix) = (made, 2)
            while taken[id] != nil { (id, suffix) = ("\(made)_\(suffix)", suffix + 1) }
            taken[id] = index
            ids[index] = id
        }
    }
}
