/// One mistake in a flow, and where it is: a JSON pointer (RFC 6901) such as `/actions/3/option/duration`.
public struct Problem: Error, Sendable, Hashable, Codable {
    public var pointer: String
    /// Stable, for programs.
    public var code: Code
    /// For people.
    public var detail: String

    public enum Code: String, Sendable, Hashable, Codable {
        case invalidJSON = "invalid_json"
        case missing
        case wrongType = "wrong_type"
        case unknownField = "unknown_field"
        case unknownActionType = "unknown_action_type"
        case unavailableActionType = "unavailable_action_type"
        case outOfRange = "out_of_range"
        case tooLong = "too_long"
        case tooMany = "too_many"
        case invalidValue = "invalid_value"
        case unknownTarget = "unknown_target"
        case duplicateID = "duplicate_id"
        case reservedID = "reserved_id"
    }

    public init(pointer: String, code: Code, detail: String) {
        (self.pointer, self.code, self.detail) = (pointer, code, detail)
    }
}

/// Every mistake found, in the order of the document.
public struct Problems: Error, Sendable, Hashable {
    public var list: [Problem]

    public init(_ list: [Problem]) { self.list = list }
}

extension String {
    /// This JSON pointer one member or element deeper (RFC 6901 §3: `~` and `/` are escaped).
    func pointing(at member: String) -> String {
        var pointer = self + "/"
        for character in member.unicodeScalars {
            switch character {
            case "~": pointer += "~0"
            case "/": pointer += "~1"
            default: pointer.unicodeScalars.append(character)
            }
        }
        return pointer
    }

    func pointing(at index: Int) -> String { "\(self)/\(index)" }
}
