/// Reads one action: its common members here, its options by the `OptionReader`.
struct ActionReader {
    private let members: [String: JSONValue]
    private let pointer: String
    private let id: String
    private let limits: Limits
    private let timeZones: TimeZones
    private let depth: Int
    private(set) var problems: [Problem] = []
    private(set) var targets: [(pointer: String, id: String)] = []

    /// `tm_execute` is written by VoIPbin into what it exports and means nothing in a definition.
    private static let names: Set<String> = ["id", "type", "option", "next_id", "tm_execute"]

    init(_ members: [String: JSONValue], at pointer: String, id: String, limits: Limits, timeZones: TimeZones, depth: Int = 0) {
        self.depth = depth
        (self.members, self.pointer, self.id) = (members, pointer, id)
        (self.limits, self.timeZones) = (limits, timeZones)
    }

    mutating func read() -> Action? {
        // Between our own processes a field that is not known here is one of a newer version's.
        let isTrusted = limits == .trusted
        for name in members.keys.sorted() where !isTrusted && !Self.names.contains(name) {
            note(name, .unknownField, "an action has no member \"\(name)\"")
        }
        let nextID = readNextID()
        guard let type = readType() else { return nil }
        var kind = Action.Kind(type)
        var reader = OptionReader(
            option(), at: pointer.pointing(at: "option"), limits: limits, timeZones: timeZones)
        reader.depth = depth
        kind.visit(&reader)
        // Between our own processes variables have been put in: what came of it is judged by whoever performs it.
        if !isTrusted {
            kind.check(&reader)
            reader.noteUnknownFields(of: type.rawValue)
        }
        problems += reader.problems
        targets += reader.targets
        return Action(id: id, nextID: nextID, kind)
    }

    private mutating func note(_ name: String, _ code: Problem.Code, _ detail: String) {
        problems.append(Problem(pointer: pointer.pointing(at: name), code: code, detail: detail))
    }

    private mutating func option() -> [String: JSONValue] {
        switch members["option"] {
        case nil, .null: return [:]
        case .object(let option): return option
        case .some(let value):
            note("option", .wrongType, "an object is expected here, not \(value.typeName)")
            return [:]
        }
    }

    private mutating func readNextID() -> String? {
        switch members["next_id"] {
        case nil, .null, "": return nil
        case .string(let id) where id == ReservedID.none: return nil
        case .string(let id):
            targets.append((pointer.pointing(at: "next_id"), id))
            return id
        case .some(let value):
            note("next_id", .wrongType, "an id is a string, not \(value.typeName)")
            return nil
        }
    }

    private mutating func readType() -> ActionType? {
        switch members["type"] {
        case nil, .null:
            note("type", .missing, "type is required")
        case .string(let name):
            if let type = ActionType(rawValue: name), limits == .trusted || !ActionType.parts.contains(type) { return type }
            if ActionType.unavailable.contains(name) {
                note("type", .unavailableActionType, "the action type \"\(name)\" is not available yet")
            } else {
                note("type", .unknownActionType, "there is no action type \"\(name.prefix(64))\"")
            }
        case .some(let value):
            note("type", .wrongType, "a type is a string, not \(value.typeName)")
        }
        return nil
    }
}
