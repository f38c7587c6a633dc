/// The fields as an option struct lists them: a mistake is noted and leaves the value as it was.
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

    mutating func words(_ name: String, _ value: inout [String], _ words: [String]) {
        // One that has words already may be left out.
        guard let member = take(name, value.isEmpty ? .required : .optional) else { return }
        let pointer = pointer.pointing(at: name)
        guard let elements = elements(member, at: pointer) else { return }
        if elements.isEmpty { note(pointer, .missing, "\(name) must not be empty") }
        value = []
        for (index, element) in elements.enumerated() {
            guard let text = text(element, at: pointer.pointing(at: index), limits.short) else { continue }
            if words.contains(text) {
                value.append(text)
            } else {
                let known = words.map { "\"\($0)\"" }.joined(separator: ", ")
                note(pointer.pointing(at: index), .invalidValue, "one of \(known) is expected here, not \"\(text)\"")
            }
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
            if text.utf8.count > Keypad.most { note(pointer, .tooLong, "at most \(Keypad.most) digits, not \(text.utf8.count)") }
        }
        value = text
    }

    mutating func timezone(_ name: String, _ value: inout String?) {
        guard let member = take(name, .optional) else { return }
        let pointer = pointer.pointing(at: name)
        guard let zone = text(member, at: pointer, limits.short), !zone.isEmpty else { return }
        if !zone.contains("${"), timeZones.offset(of: zone, at: 0) == nil { note(pointer, .invalidValue, "no time zone is called \"\(zone)\"") }
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

extension OptionReader {
    mutating func document(_ name: String, _ value: inout JSONValue?, _ presence: Presence) {
        guard let member = take(name, presence) else { return }
        let size = member.approximateBytes
        if size > limits.valueBytes { note(pointer.pointing(at: name), .tooLong, "at most \(limits.valueBytes) bytes, not \(size)") }
        value = member
    }

    mutating func expression(_ name: String, _ value: inout Expression?) {
        guard let member = take(name, .optional) else { return }
        let pointer = pointer.pointing(at: name)
        guard let text = text(member, at: pointer, Expression.longestText), !text.isEmpty else { return }
        do throws(Expression.Mistake) { value = try Expression(text) } catch {
            note(pointer, .invalidValue, "\(error.reason) (byte \(error.offset))")
        }
    }

    mutating func texts(_ name: String, _ value: inout [String: String], _ length: Length) {
        guard let member = take(name, .optional) else { return }
        let pointer = pointer.pointing(at: name)
        guard let members = object(member, at: pointer) else { return }
        value = [:]
        for (key, element) in members.sorted(by: { $0.key < $1.key }) {
            if let text = text(element, at: pointer.pointing(at: key), limits.bytes(of: length)) { value[key] = text }
        }
    }

    mutating func objects<Fields: OptionFields>(_ name: String, _ value: inout [Fields], _ presence: Presence) {
        guard let member = take(name, presence) else { return }
        let pointer = pointer.pointing(at: name)
        guard let elements = elements(member, at: pointer) else { return }
        if presence == .required, elements.isEmpty { note(pointer, .missing, "\(name) must not be empty") }
        value = []
        for (index, element) in elements.enumerated() {
            let pointer = pointer.pointing(at: index)
            guard let members = object(element, at: pointer) else { continue }
            var (fields, reader) = (Fields(), OptionReader(members, at: pointer, limits: limits, timeZones: timeZones))
            reader.depth = depth
            fields.visit(&reader)
            reader.noteUnknownFields(of: name)
            take(over: reader)
            value.append(fields)
        }
    }

    mutating func actions(_ name: String, _ value: inout [Action], of owner: String) {
        guard let member = take(name, .optional) else { return }
        guard depth < limits.nestedActions else {
            return note(pointer.pointing(at: name), .tooMany, "actions inside actions inside actions end here")
        }
        var validation = Validation(limits: limits, timeZones: timeZones)
        if !owner.isEmpty { validation.makeID = { "\(owner)_action_\($0 + 1)" } }
        switch validation.actions(member, at: pointer.pointing(at: name), depth: depth + 1) {
        case .success(let actions): value = actions
        case .failure(let found): found.list.forEach { note($0.pointer, $0.code, $0.detail) }
        }
    }

    private mutating func object(_ value: JSONValue, at pointer: String) -> [String: JSONValue]? {
        guard let members = value.object else {
            note(pointer, .wrongType, "an object is expected here, not \(value.typeName)")
            return nil
        }
        guard members.count <= limits.elements else {
            note(pointer, .tooMany, "at most \(limits.elements) members, not \(members.count)")
            return nil
        }
        return members
    }
}

extension Address.Kind: OptionChoice {}
