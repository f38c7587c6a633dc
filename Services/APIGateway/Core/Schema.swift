import Contracts
import Flow

/// What a value may be. One description serves twice: request bodies are checked against it, and the OpenAPI document shows
/// it as JSON Schema 2020-12.
indirect enum Schema: Sendable {
    case text(TextFormat)
    case integer(ClosedRange<Int64>)
    case number
    case boolean
    case list(of: Schema, count: ClosedRange<Int>)
    case object([Field])
    /// Null is allowed, and in a PATCH it removes the value.
    case nullable(Schema)
    case either(Schema, Schema)
    /// The actions of a flow; their grammar is the Flow module's.
    case actions
    /// Any object: the resource inside an event.
    case anything
    /// A named schema of the OpenAPI document.
    case reference(String)

    struct Field: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool
        let note: String
        /// A GET shows it and nobody writes it. In a body it may stand, so that what was read can be sent back, and is not looked at.
        var isReadOnly = false

        static func required(_ name: String, _ schema: Schema, _ note: String = "") -> Field {
            Field(name: name, schema: schema, isRequired: true, note: note)
        }

        static func optional(_ name: String, _ schema: Schema, _ note: String = "") -> Field {
            Field(name: name, schema: schema, isRequired: false, note: note)
        }

        static func shown(_ name: String, _ schema: Schema, _ note: String = "") -> Field {
            Field(name: name, schema: schema, isRequired: true, note: note, isReadOnly: true)
        }
    }

    /// Every mistake in `value`, each at its JSON pointer (RFC 6901); at most `mostProblems`, so that a hostile body cannot make
    /// an answer larger than itself.
    func problems(in value: JSONValue) -> [Problem] {
        var problems: [Problem] = []
        check(value, at: "", into: &problems)
        return Array(problems.prefix(Self.mostProblems))
    }

    static let mostProblems = 50

    private func check(_ value: JSONValue, at pointer: String, into problems: inout [Problem]) {
        guard problems.count < Self.mostProblems else { return }
        func refuse(_ code: String, _ detail: String) {
            problems.append(Problem(pointer: pointer, code: code, detail: detail))
        }
        switch self {
        case .text(let format):
            guard let text = value.string else { return refuse("wrong_type", "must be a string, not \(value.typeName)") }
            if let detail = format.objection(to: text) { refuse("invalid_value", detail) }
        case .integer(let range):
            guard let number = value.integer else { return refuse("wrong_type", "must be a whole number, not \(value.typeName)") }
            if !range.contains(number) { refuse("out_of_range", "must be from \(range.lowerBound) to \(range.upperBound)") }
        case .number:
            if value.double == nil { refuse("wrong_type", "must be a number, not \(value.typeName)") }
        case .boolean:
            if value.bool == nil { refuse("wrong_type", "must be true or false, not \(value.typeName)") }
        case .list(let element, let count):
            guard let elements = value.array else { return refuse("wrong_type", "must be a list, not \(value.typeName)") }
            guard count.contains(elements.count) else {
                return refuse("out_of_range", "must have from \(count.lowerBound) to \(count.upperBound) elements, not \(elements.count)")
            }
            for (index, one) in elements.enumerated() { element.check(one, at: "\(pointer)/\(index)", into: &problems) }
        case .object(let fields):
            guard let members = value.object else { return refuse("wrong_type", "must be an object, not \(value.typeName)") }
            Self.check(members, fields: fields, at: pointer, into: &problems)
        case .nullable(let schema):
            if value != .null { schema.check(value, at: pointer, into: &problems) }
        case .either(let one, let other):
            let chosen = value.array == nil ? one : other
            chosen.check(value, at: pointer, into: &problems)
        case .actions:
            guard value.array != nil else { return refuse("wrong_type", "must be a list of actions, not \(value.typeName)") }
            problems += ActionList.problems(in: value, at: pointer)
        case .anything, .reference:
            break
        }
    }

    private static func check(
        _ members: [String: JSONValue], fields: [Field], at pointer: String, into problems: inout [Problem]
    ) {
        for field in fields where !field.isReadOnly {
            let place = pointer + "/" + field.name
            if let member = members[field.name] {
                field.schema.check(member, at: place, into: &problems)
            } else if field.isRequired {
                problems.append(Problem(pointer: place, code: "required", detail: "is required"))
            }
        }
        let known = Set(fields.map(\.name))
        for name in members.keys.sorted() where !known.contains(name) {
            let names = fields.filter { !$0.isReadOnly }.map(\.name).joined(separator: ", ")
            problems.append(Problem(
                pointer: pointer + "/" + escaped(name), code: "unknown_field",
                detail: names.isEmpty ? "is not known here: this body is empty" : "is not known here; known are \(names)"))
        }
    }

    /// RFC 6901 §3, and no longer than a pointer of ours can be: the name is the sender's.
    private static func escaped(_ name: String) -> String {
        String(name.prefix(64)).split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    }
}

extension Schema {
    /// The same as a JSON Schema object.
    var document: JSONValue {
        switch self {
        case .text(let format): return format.document
        case .integer(let range):
            return ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        case .number: return ["type": "number"]
        case .boolean: return ["type": "boolean"]
        case .list(let element, let count):
            return [
                "type": "array", "items": element.document, "minItems": .integer(Int64(count.lowerBound)),
                "maxItems": .integer(Int64(count.upperBound)),
            ]
        case .object(let fields):
            var properties: [String: JSONValue] = [:]
            for field in fields {
                guard case .object(var described) = field.schema.document else { continue }
                if !field.note.isEmpty { described["description"] = .string(field.note) }
                if field.isReadOnly { described["readOnly"] = true }
                properties[field.name] = .object(described)
            }
            return [
                "type": "object", "properties": .object(properties),
                "required": .array(fields.filter(\.isRequired).map { .string($0.name) }),
            ]
        case .nullable(let schema): return ["anyOf": [schema.document, ["type": "null"]]]
        case .either(let one, let other): return ["anyOf": [one.document, other.document]]
        case .actions: return ["type": "array", "items": ["$ref": "#/components/schemas/Action"]]
        case .anything: return ["type": "object"]
        case .reference(let name): return ["$ref": .string("#/components/schemas/" + name)]
        }
    }
}
