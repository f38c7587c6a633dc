/// Reads the option fields of one action out of a JSON object and notes every mistake with its pointer.
struct OptionReader {
    let members: [String: JSONValue]
    let pointer: String
    let limits: Limits
    let timeZones: TimeZones
    /// Lists of actions around this one.
    var depth = 0
    private(set) var problems: [Problem] = []
    /// Where this action wants to go, to be checked once all ids of the list are known.
    private(set) var targets: [(pointer: String, id: String)] = []
    private var read: Set<String> = []

    init(_ members: [String: JSONValue], at pointer: String, limits: Limits, timeZones: TimeZones) {
        (self.members, self.pointer) = (members, pointer)
        (self.limits, self.timeZones) = (limits, timeZones)
    }

    /// To be called when every field has been visited: what is left over has no meaning for this action.
    mutating func noteUnknownFields(of type: String) {
        for name in members.keys.sorted() where !read.contains(name) {
            note(pointer.pointing(at: name), .unknownField, "\(type) has no option \"\(name)\"")
        }
    }

    /// What was found out about an object inside.
    mutating func take(over reader: OptionReader) {
        problems += reader.problems
        targets += reader.targets
    }

    mutating func note(_ pointer: String, _ code: Problem.Code, _ detail: String) {
        problems.append(Problem(pointer: pointer, code: code, detail: detail))
    }

    /// The member, unless it is absent or null; absence of a required one is noted.
    mutating func take(_ name: String, _ presence: Presence) -> JSONValue? {
        read.insert(name)
        if let value = members[name], value != .null { return value }
        if presence == .required { note(pointer.pointing(at: name), .missing, "\(name) is required") }
        return nil
    }

    mutating func text(_ value: JSONValue, at pointer: String, _ bytes: Int) -> String? {
        guard let text = value.string else {
            note(pointer, .wrongType, "a string is expected here, not \(value.typeName)")
            return nil
        }
        guard text.utf8.count <= bytes else {
            note(pointer, .tooLong, "at most \(bytes) bytes, not \(text.utf8.count)")
            return nil
        }
        return text
    }

    mutating func integer(_ value: JSONValue, at pointer: String, in range: ClosedRange<Int>) -> Int? {
        guard let integer = value.integer else {
            note(pointer, .wrongType, "a whole number is expected here, not \(value.typeName)")
            return nil
        }
        guard let number = Int(exactly: integer), range.contains(number) else {
            note(pointer, .outOfRange, "\(integer) is not between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func elements(_ value: JSONValue, at pointer: String) -> [JSONValue]? {
        guard let elements = value.array else {
            note(pointer, .wrongType, "an array is expected here, not \(value.typeName)")
            return nil
        }
        guard elements.count <= limits.elements else {
            note(pointer, .tooMany, "at most \(limits.elements) elements, not \(elements.count)")
            return nil
        }
        return elements
    }

    /// A reference to an action; Go's zero UUID and the empty string mean none.
    mutating func reference(_ value: JSONValue, at pointer: String) -> String? {
        guard let id = text(value, at: pointer, limits.identifier), !id.isEmpty, id != ReservedID.none else { return nil }
        targets.append((pointer, id))
        return id
    }

    mutating func word<Choice: OptionChoice>(_ value: JSONValue, at pointer: String) -> Choice? {
        guard let text = text(value, at: pointer, limits.text), !text.isEmpty else { return nil }
        guard let choice = Choice(written: text) else {
            let words = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            note(pointer, .invalidValue, "one of \(words) is expected here, not \"\(text)\"")
            return nil
        }
        return choice
    }

    mutating func address(_ value: JSONValue, at pointer: String) -> Address? {
        guard let members = value.object else {
            note(pointer, .wrongType, "an address object is expected here, not \(value.typeName)")
            return nil
        }
        var reader = OptionReader(members, at: pointer, limits: limits, timeZones: timeZones)
        var kind = Address.Kind.sip
        var address = Address(kind: kind, target: "")
        reader.choice("type", &kind, .required)
        reader.string("target", &address.target, .required, .short)
        reader.string("target_name", &address.targetName, .short)
        reader.string("name", &address.name, .short)
        reader.string("detail", &address.detail, .text)
        for name in members.keys.sorted() where !reader.read.contains(name) {
            reader.note(pointer.pointing(at: name), .unknownField, "an address has no member \"\(name)\"")
        }
        address.kind = kind
        problems += reader.problems
        return address
    }
}
