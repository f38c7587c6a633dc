/// Reads the option fields of one action out of a JSON object and notes every mistake with its pointer.
struct OptionReader {
    let members: [String: JSONValue]
    let pointer: String
    let limits: Limits
    let timeZones: TimeZones
    private(set) var problems: [Problem] = []
    /// Where this action wants to go, to be checked once all ids of the list are known.
    private(set) var targets: [(pointer: String, id: String)] = []
    private var read: Set<String> = []

    init(_ members: [String: JSONValue], at pointer: String, limits: Limits, timeZones: TimeZones) {
        (self.members, self.pointer) = (members, pointer)
        (self.limits, self.timeZones) = (limits, timeZones)
    }

    /// To be called when every field has been visited: what is left over has no meaning for this action.
    mutating func noteUnknownFields(of type: ActionType) {
        for name in members.keys.sorted() where !read.contains(name) {
            note(pointer.pointing(at: name), .unknownField, "\(type.rawValue) has no option \"\(name)\"")
        }
    }

    private mutating func note(_ pointer: String, _ code: Problem.Code, _ detail: String) {
        problems.append(Problem(pointer: pointer, code: code, detail: detail))
    }

    /// The member, unless it is absent or null; absence of a required one is noted.
    private mutating func take(_ name: String, _ presence: Presence) -> JSONValue? {
        read.insert(name)
        if let value = members[name], value != .null { return value }
        if presence == .required { note(pointer.pointing(at: name), .missing, "\(name) is required") }
        return nil
    }

    private mutating func text(_ value: JSONValue, at pointer: String, _ bytes: Int) -> String? {
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

    private mutating func integer(_ value: JSONValue, at pointer: String, in range: ClosedRange<Int>) -> Int? {
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

    private mutating func elements(_ value: JSONValue, at pointer: String) -> [JSONValue]? {
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
    private mutating func reference(_ value: JSONValue, at pointer: String) -> String? {
        guard let id = text(value, at: pointer, limits.identifier), !id.isEmpty, id != ReservedID.none else { return nil }
        targets.append((pointer, id))
        return id
    }

    private mutating func word<Choice: OptionChoice>(_ value: JSONValue, at pointer: String) -> Choice? {
        guard let text = text(value, at: pointer, limits.text), !text.isEmpty else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            note(pointer, .invalidValue, "one of \(words) is expected here, not \"\(text)\"")
            return nil
        }
        return choice
    }

    private mutating func address(_ value: JSONValue, at pointer: String) -> Address? {
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

extension Address.Kind: OptionChoice {}

extension OptionReader: OptionVisitor {
    mutating func string(_ name: String, _ value: inout String, _ presence: Presence, _ length: Length) {
        guard let member = take(name, presence) else { return }
        guard let text = text(member, at: pointer.pointing(at: name), limits.bytes(of: length)) else { return }
        if presence == .required, length != .value, text.isEmpty {
            note(pointer.pointing(at: name), .missing, "\(name) must not be empty")
        }
        value = text
    }

    mutating func string(_ name: String, _ value: inout String?, _ length: Length) {
        guard let member = take(name, .optional) else { return }
        value = text(member, at: pointer.pointing(at: name), limits.bytes(of: length)).flatMap { $0.isEmpty ? nil : $0 }
    }

    mutating func strings(_ name: String, _ value: inout [String], _ presence: Presence, _ length: Length) {
        guard let member = take(name, presence) else { return }
        let pointer = pointer.pointing(at: name)
        guard let elements = elements(member, at: pointer) else { return }
        if presence == .required, elements.isEmpty { note(pointer, .missing, "\(name) must not be empty") }
        value = []
        for (index, element) in elements.enumerated() {
            if let text = text(element, at: pointer.pointing(at: index), limits.bytes(of: length)) { value.append(text) }
        }
    }

    mutating func integer(_ name: String, _ value: inout Int, _ presence: Presence, in range: ClosedRange<Int>) {
        guard let member = take(name, presence) else { return }
        if let number = integer(member, at: pointer.pointing(at: name), in: range) { value = number }
    }

    mutating func integer(_ name: String, _ value: inout Int?, in range: ClosedRange<Int>) {
        guard let member = take(name, .optional) else { return }
        if let number = integer(member, at: pointer.pointing(at: name), in: range) { value = number }
    }

    mutating func integers(_ name: String, _ value: inout [Int], in range: ClosedRange<Int>) {
        guard let member = take(name, .optional) else { return }
        let pointer = pointer.pointing(at: name)
        guard let elements = elements(member, at: pointer) else { return }
        value = []
        for (index, element) in elements.enumerated() {
            if let number = integer(element, at: pointer.pointing(at: index), in: range) { value.append(number) }
        }
    }

    mutating func number(_ name: String, _ value: inout Double?) {
        guard let member = take(name, .optional) else { return }
        if let number = member.double {
            value = number
        } else {
            note(pointer.pointing(at: name), .wrongType, "a number is expected here, not \(member.typeName)")
        }
    }

    mutating func flag(_ name: String, _ value: inout Bool) {
        guard let member = take(name, .optional) else { return }
        if let flag = member.bool {
            value = flag
        } else {
            note(pointer.pointing(at: name), .wrongType, "true or false is expected here, not \(member.typeName)")
        }
    }

    mutating func choice<Choice: OptionChoice>(_ name: String, _ value: inout Choice, _ presence: Presence) {
        guard let member = take(name, presence) else { return }
        if presence == .required, member == .string("") {
            note(pointer.pointing(at: name), .missing, "\(name) must not be empty")
        } else if let choice: Choice = word(member, at: pointer.pointing(at: name)) {
            value = choice
        }
    }

    mutating func choice<Choice: OptionChoice>(_ name: String, _ value: inout Choice?) {
        guard let member = take(name, .optional) else { return }
        value = word(member, at: pointer.pointing(at: name))
    }

    mutating func digits(_ name: String, _ value: inout String, _ presence: Presence) {
        guard let member = take(name, presence) else { return }
        let pointer = pointer.pointing(at: name)
        guard let text = text(member, at: pointer, limits.short) else { return }
        if presence == .required, text.isEmpty { note(pointer, .missing, "\(name) must not be empty") }
        // With a variable in it only the moment of execution knows the digits.
        if !text.contains("${") {
            if let stranger = text.first(where: { !Keypad.has($0) }) {
                note(pointer, .invalidValue, "\"\(stranger)\" is no key of 0-9, A-D, * and #")
            }
            if text.utf8.count > 100 { note(pointer, .tooLong, "at most 100 digits, not \(text.utf8.count)") }
        }
        value = text
    }

    mutating func timezone(_ name: String, _ value: inout String?) {
        guard let member = take(name, .optional) else { return }
        let pointer = pointer.pointing(at: name)
        guard let zone = text(member, at: pointer, limits.short), !zone.isEmpty else { return }
        if timeZones.offset(of: zone, at: 0) == nil { note(pointer, .invalidValue, "no time zone is called \"\(zone)\"") }
        value = zone
    }

    mutating func target(_ name: String, _ value: inout String, _ presence: Presence) {
        guard let member = take(name, presence) else { return }
        let pointer = pointer.pointing(at: name)
        if let id = reference(member, at: pointer) {
            value = id
        } else if presence == .required, member == .string("") || member == .string(ReservedID.none) {
            note(pointer, .missing, "\(name) must name an action")
        }
    }

    mutating func target(_ name: String, _ value: inout String?) {
        guard let member = take(name, .optional) else { return }
        value = reference(member, at: pointer.pointing(at: name))
    }

    mutating func targets(_ name: String, _ value: inout [String: String]) {
        guard let member = take(name, .optional) else { return }
        let pointer = pointer.pointing(at: name)
        guard let members = member.object else {
            note(pointer, .wrongType, "an object is expected here, not \(member.typeName)")
            return
        }
        guard members.count <= limits.elements else {
            note(pointer, .tooMany, "at most \(limits.elements) members, not \(members.count)")
            return
        }
        value = [:]
        for (key, element) in members.sorted(by: { $0.key < $1.key }) {
            if let id = reference(element, at: pointer.pointing(at: key)) { value[key] = id }
        }
    }

    mutating func address(_ name: String, _ value: inout Address?) {
        guard let member = take(name, .optional) else { return }
        // An exported flow has an empty object where no address is meant.
        if member.object?.isEmpty == true { return }
        value = address(member, at: pointer.pointing(at: name))
    }

    mutating func addresses(_ name: String, _ value: inout [Address], _ presence: Presence) {
        guard let member = take(name, presence) else { return }
        let pointer = pointer.pointing(at: name)
        guard let elements = elements(member, at: pointer) else { return }
        if presence == .required, elements.isEmpty { note(pointer, .missing, "\(name) must not be empty") }
        value = []
        for (index, element) in elements.enumerated() {
            if let address = address(element, at: pointer.pointing(at: index)) { value.append(address) }
        }
    }
}

/// The keys of a telephone, A to D included.
enum Keypad {
    static func has(_ key: Character) -> Bool {
        switch key {
        case "0"..."9", "A"..."D", "*", "#": key.utf8.count == 1
        default: false
        }
    }
}
