/// Writes the option fields of one action as a JSON object; what is nil or empty and optional is left out.
struct OptionWriter: OptionVisitor {
    private(set) var members: [String: JSONValue] = [:]

    mutating func string(_ name: String, _ value: inout String, _ presence: Presence, _ length: Length) {
        members[name] = .string(value)
    }

    mutating func string(_ name: String, _ value: inout String?, _ length: Length) {
        members[name] = value.map(JSONValue.string)
    }

    mutating func strings(_ name: String, _ value: inout [String], _ presence: Presence, _ length: Length) {
        members[name] = .array(value.map(JSONValue.string))
    }

    mutating func words(_ name: String, _ value: inout [String], _ words: [String]) {
        members[name] = .array(value.map(JSONValue.string))
    }

    mutating func integer(_ name: String, _ value: inout Int, _ presence: Presence, in range: ClosedRange<Int>) {
        members[name] = .integer(Int64(value))
    }

    mutating func integer(_ name: String, _ value: inout Int?, in range: ClosedRange<Int>) {
        members[name] = value.map { .integer(Int64($0)) }
    }

    mutating func integers(_ name: String, _ value: inout [Int], in range: ClosedRange<Int>) {
        members[name] = .array(value.map { .integer(Int64($0)) })
    }

    mutating func number(_ name: String, _ value: inout Double?) {
        members[name] = value.map(JSONValue.number)
    }

    mutating func flag(_ name: String, _ value: inout Bool) {
        members[name] = .bool(value)
    }

    mutating func choice<Choice: OptionChoice>(_ name: String, _ value: inout Choice, _ presence: Presence) {
        members[name] = .string(value.rawValue)
    }

    mutating func choice<Choice: OptionChoice>(_ name: String, _ value: inout Choice?) {
        members[name] = value.map { .string($0.rawValue) }
    }

    mutating func digits(_ name: String, _ value: inout String, _ presence: Presence) {
        members[name] = .string(value)
    }

    mutating func timezone(_ name: String, _ value: inout String?) {
        members[name] = value.map(JSONValue.string)
    }

    mutating func target(_ name: String, _ value: inout String, _ presence: Presence) {
        members[name] = .string(value)
    }

    mutating func target(_ name: String, _ value: inout String?) {
        members[name] = value.map(JSONValue.string)
    }

    mutating func targets(_ name: String, _ value: inout [String: String]) {
        members[name] = .object(value.mapValues(JSONValue.string))
    }

    mutating func address(_ name: String, _ value: inout Address?) {
        members[name] = value.map { .object($0.members) }
    }

    mutating func document(_ name: String, _ value: inout JSONValue?, _ presence: Presence) { members[name] = value }

    mutating func expression(_ name: String, _ value: inout Expression?) {
        members[name] = value.map { .string($0.text) }
    }

    mutating func texts(_ name: String, _ value: inout [String: String], _ length: Length) {
        if !value.isEmpty { members[name] = .object(value.mapValues(JSONValue.string)) }
    }

    mutating func objects<Fields: OptionFields>(_ name: String, _ value: inout [Fields], _ presence: Presence) {
        guard presence == .required || !value.isEmpty else { return }
        members[name] = .array(value.map { fields in
            var (fields, writer) = (fields, OptionWriter())
            fields.visit(&writer)
            return .object(writer.members)
        })
    }

    mutating func actions(_ name: String, _ value: inout [Action], of owner: String) {
        if !value.isEmpty { members[name] = .array(value.map(\.json)) }
    }

    mutating func addresses(_ name: String, _ value: inout [Address], _ presence: Presence) {
        members[name] = .array(value.map { .object($0.members) })
    }
}

extension Address {
    var members: [String: JSONValue] {
        var members: [String: JSONValue] = ["type": .string(kind.rawValue), "target": .string(target)]
        members["target_name"] = targetName.map(JSONValue.string)
        members["name"] = name.map(JSONValue.string)
        members["detail"] = detail.map(JSONValue.string)
        return members
    }
}
