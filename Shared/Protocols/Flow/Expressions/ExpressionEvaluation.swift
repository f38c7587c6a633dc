extension Expression {
    /// What it gives with these variables. Nothing fails: what has no value is null, and null is neither true nor equal to anything
    /// but null.
    public func value(with variables: Variables, bytes: Int = 32 << 10) -> JSONValue {
        Evaluation(variables: variables, bytes: bytes).value(root)
    }

    public func holds(with variables: Variables) -> Bool { Evaluation.isTrue(value(with: variables)) }
}

/// The meaning of operators and functions.
struct Evaluation {
    let variables: Variables
    /// No text becomes longer.
    let bytes: Int

    func value(_ node: Expression.Node) -> JSONValue {
        switch node {
        case .value(let value): return value
        case .variable(let path): return variables.value(at: path) ?? .null
        case .list(let nodes): return .array(nodes.map(value))
        case .not(let node): return .bool(!Self.isTrue(value(node)))
        case .negative(let node): return arithmetic(.subtract, .integer(0), value(node))
        case .both(let left, let right): return .bool(Self.isTrue(value(left)) && Self.isTrue(value(right)))
        case .either(let left, let right): return .bool(Self.isTrue(value(left)) || Self.isTrue(value(right)))
        case .compare(let comparison, let left, let right): return .bool(Self.holds(comparison, value(left), value(right)))
        case .contained(let part, let whole): return .bool(Self.contains(value(whole), value(part)))
        case .arithmetic(let sign, let left, let right): return arithmetic(sign, value(left), value(right))
        case .choice(let condition, let yes, let no): return value(Self.isTrue(value(condition)) ? yes : no)
        case .call(let function, let arguments): return call(function, arguments)
        }
    }

    /// False, null, 0, "", "false", "0" and what is empty are not true.
    static func isTrue(_ value: JSONValue) -> Bool {
        switch value {
        case .null: false
        case .bool(let flag): flag
        case .integer(let number): number != 0
        case .number(let number): number != 0
        case .string(let text): !["", "false", "0"].contains(text)
        case .array(let elements): !elements.isEmpty
        case .object(let members): !members.isEmpty
        }
    }

    /// Numbers, and texts that are numbers beside a number, compare by value; two texts letter by letter; a text that is no number is
    /// unequal to every number, and neither less nor greater.
    static func holds(_ comparison: Comparison, _ left: JSONValue, _ right: JSONValue) -> Bool {
        if case (.string(let left), .string(let right)) = (left, right) { return comparison.holds(left, right) }
        if case (.integer(let left), .integer(let right)) = (left, right) { return comparison.holds(left, right) }
        if let left = number(left), let right = number(right), !isText(left: left, right: right) { return comparison.holds(left, right) }
        switch comparison {
        case .equal: return equal(left, right)
        case .notEqual: return !equal(left, right)
        case .less, .lessOrEqual, .greater, .greaterOrEqual: return false
        }
    }

    private static func isText(left: Double, right: Double) -> Bool { left.isNaN || right.isNaN }

    /// `digits == true` would be a trap if "1" were true here: only "true" and "false" are.
    private static func equal(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.bool(let flag), .string(let text)), (.string(let text), .bool(let flag)): text == (flag ? "true" : "false")
        default: left == right
        }
    }

    static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        case .string(let text):
            // "0x10", "inf" and "nan" are numbers to Swift and to nobody else.
            guard text.utf8.count <= 64, !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) })
            else { return nil }
            return Double(text).flatMap { $0.isFinite ? $0 : nil }
        default: return nil
        }
    }

    static func contains(_ whole: JSONValue, _ part: JSONValue) -> Bool {
        switch whole {
        case .array(let elements): elements.contains { holds(.equal, $0, part) }
        case .object(let members): members[part.plainText] != nil
        case .string(let text): isPart(part.plainText, of: text)
        default: false
        }
    }

    /// What is looked for in a text has at most so many bytes, so that no search takes long.
    static let longestSought = 1024

    private static func isPart(_ part: String, of text: String) -> Bool {
        part.utf8.count <= longestSought && (part.isEmpty || text.contains(part))
    }

    /// `+` with something that is no number puts texts together; anything else with it is null, as is a division by 0.
    private func arithmetic(_ sign: Expression.Arithmetic, _ left: JSONValue, _ right: JSONValue) -> JSONValue {
        if case (.integer(let left), .integer(let right)) = (left, right), let result = Self.whole(sign, left, right) { return result }
        guard let first = Self.number(left), let second = Self.number(right) else {
            guard sign == .add, left != .null || right != .null else { return .null }
            return .string((left.plainText + right.plainText).prefix(utf8: bytes))
        }
        let result: Double =
            switch sign {
            case .add: first + second
            case .subtract: first - second
            case .multiply: first * second
            case .divide: first / second
            case .remainder: first.truncatingRemainder(dividingBy: second)
            }
        guard result.isFinite else { return .null }
        return Self.shortened(result)
    }

    /// Nil: not exactly, so by floating point.
    private static func whole(_ sign: Expression.Arithmetic, _ left: Int64, _ right: Int64) -> JSONValue? {
        let (value, overflow): (Int64, Bool) =
            switch sign {
            case .add: left.addingReportingOverflow(right)
            case .subtract: left.subtractingReportingOverflow(right)
            case .multiply: left.multipliedReportingOverflow(by: right)
            case .divide: right != 0 && left.remainderReportingOverflow(dividingBy: right) == (0, false)
                ? left.dividedReportingOverflow(by: right) : (0, true)
            case .remainder: left.remainderReportingOverflow(dividingBy: right)
            }
        return overflow ? nil : .integer(value)
    }

    private static func shortened(_ number: Double) -> JSONValue {
        Int64(exactly: number).map(JSONValue.integer) ?? .number(number)
    }

    private func call(_ function: Expression.Function, _ arguments: [Expression.Node]) -> JSONValue {
        let values = arguments.map(value)
        let first = values.first ?? .null
        let second = values.count > 1 ? values[1] : .null
        switch function {
        case .length:
            switch first {
            case .array(let elements): return .integer(Int64(elements.count))
            case .object(let members): return .integer(Int64(members.count))
            default: return .integer(Int64(first.plainText.count))
            }
        case .lower: return .string(first.plainText.lowercased().prefix(utf8: bytes))
        case .upper: return .string(first.plainText.uppercased().prefix(utf8: bytes))
        case .trim: return .string(Substring(first.plainText).trimmingSpaces)
        case .number: return Self.number(first).map(Self.shortened) ?? .null
        case .text: return .string(first.plainText.prefix(utf8: bytes))
        case .exists: return .bool(first != .null)
        case .default: return first == .null || first == .string("") ? second : first
        case .contains: return .bool(Self.contains(first, second))
        case .startsWith: return .bool(first.plainText.hasPrefix(second.plainText))
        case .endsWith: return .bool(first.plainText.hasSuffix(second.plainText))
        case .like:
            let pattern = second.plainText
            return .bool(pattern.utf8.count <= Self.longestSought && Pattern(pattern).matches(first.plainText))
        case .round: return Self.number(first).map { Self.shortened($0.rounded()) } ?? .null
        case .floor: return Self.number(first).map { Self.shortened($0.rounded(.down)) } ?? .null
        case .ceiling: return Self.number(first).map { Self.shortened($0.rounded(.up)) } ?? .null
        case .abs: return Self.number(first).map { Self.shortened(Swift.abs($0)) } ?? .null
        case .min: return values.compactMap(Self.number).min().map(Self.shortened) ?? .null
        case .max: return values.compactMap(Self.number).max().map(Self.shortened) ?? .null
        }
    }
}

extension JSONValue {
    /// As it stands in a text: a text without quotes, nothing for null, JSON for lists and objects.
    public var plainText: String {
        switch self {
        case .null: ""
        case .string(let text): text
        default: jsonText
        }
    }
}
