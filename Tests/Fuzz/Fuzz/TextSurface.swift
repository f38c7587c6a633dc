import Flow
import JSONCoding

enum TextSurface {
    /// What a customer's reader takes, the one between our processes takes, and it means the same; what that one takes it writes so that it
    /// is read again as the same; a number without a fraction may come back as an integer.
    static func json(_ bytes: [UInt8]) {
        let strict = try? JSONValue(json: bytes)
        guard let value = try? JSONText.decode(JSONValue.self, from: bytes) else {
            precondition(strict == nil, "refused between processes")
            return
        }
        if let strict { precondition(isSame(strict, value), "two meanings") }
        guard let written = try? JSONText.encode(value) else { preconditionFailure("what was read cannot be written") }
        guard let again = try? JSONText.decode(JSONValue.self, from: written) else { preconditionFailure("what was written cannot be read") }
        precondition(isSame(again, value), "written otherwise than read")
    }

    private static func isSame(_ one: JSONValue, _ other: JSONValue) -> Bool {
        switch (one, other) {
        case (.array(let one), .array(let other)): one.count == other.count && zip(one, other).allSatisfy { isSame($0, $1) }
        case (.object(let one), .object(let other)):
            one.count == other.count && one.allSatisfy { name, value in other[name].map { isSame(value, $0) } ?? false }
        case (.number(let number), .integer(let integer)), (.integer(let integer), .number(let number)): number == Double(integer)
        default: one == other
        }
    }
}
