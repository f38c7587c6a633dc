/// A comparison as conditions write it.
public enum Comparison: String, Sendable, Hashable, OptionChoice {
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case greaterOrEqual = ">="
    case less = "<"
    case lessOrEqual = "<="

    func holds<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .less: left < right
        case .lessOrEqual: left <= right
        }
    }
}

/// `condition_variable`: goes on with the next action when the comparison holds, else at `falseTargetID`.
public struct ConditionVariable: Sendable, Hashable, OptionFields {
    public enum ValueType: String, Sendable, Hashable, OptionChoice { case string, number, length }

    public var condition = Comparison.equal
    /// The variable's name, or text with `${...}`.
    public var variable = ""
    public var valueType = ValueType.string
    public var valueString: String?
    public var valueNumber: Double?
    public var valueLength: Int?
    public var falseTargetID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("condition", &condition, .required)
        visitor.string("variable", &variable, .required, .short)
        visitor.choice("value_type", &valueType, .optional)
        visitor.string("value_string", &valueString, .text)
        visitor.number("value_number", &valueNumber)
        visitor.integer("value_length", &valueLength, in: 0...1_000_000)
        visitor.target("false_target_id", &falseTargetID)
    }
}

/// `condition_datetime`: goes on with the next action when the time fits, else at `falseTargetID`.
///
/// The given fields are compared together, the largest first: `>=`, hour 9, minute 30 holds at 10:15.
public struct ConditionDatetime: Sendable, Hashable, OptionFields {
    public var condition = Comparison.equal
    /// -1 is any, for hour and day as well.
    public var minute = -1
    public var hour = -1
    public var day = -1
    /// 0 is any.
    public var month = 0
    /// 0 is Sunday; none is any.
    public var weekdays: [Int] = []
    /// A name of the IANA time zone database; UTC without it.
    public var timezone: String?
    public var falseTargetID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("condition", &condition, .required)
        visitor.integer("minute", &minute, .optional, in: -1...59)
        visitor.integer("hour", &hour, .optional, in: -1...23)
        visitor.integer("day", &day, .optional, in: -1...31)
        visitor.integer("month", &month, .optional, in: 0...12)
        visitor.integers("weekdays", &weekdays, in: 0...6)
        visitor.timezone("timezone", &timezone)
        visitor.target("false_target_id", &falseTargetID)
    }
}

/// `condition`: goes on with the next action when the expression holds, else at `falseTargetID`.
public struct Condition: Sendable, Hashable, OptionFields {
    public var expression: Expression?
    public var trueTargetID: String?
    public var falseTargetID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.expression("expression", &expression)
        visitor.target("true_target_id", &trueTargetID)
        visitor.target("false_target_id", &falseTargetID)
    }

    func check(_ reader: inout OptionReader) {
        guard expression == nil, reader.problems.isEmpty else { return }
        reader.note(reader.pointer.pointing(at: "expression"), .missing, "expression is required")
    }
}

/// `condition_call_digits`: goes on with the next action when so many digits are there, or one of the keys is among them.
public struct ConditionCallDigits: Sendable, Hashable, OptionFields {
    /// 0: any number.
    public var length = 0
    public var key = ""
    public var falseTargetID: String?

    public init() {}

    func holds(_ digits: String) -> Bool {
        (length > 0 && digits.count >= length) || digits.contains(where: key.contains) || (length == 0 && key.isEmpty)
    }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.integer("length", &length, .optional, in: 0...100)
        visitor.digits("key", &key, .optional)
        visitor.target("false_target_id", &falseTargetID)
    }
}

/// `condition_call_status`: goes on with the next action when the call is in that state.
public struct ConditionCallStatus: Sendable, Hashable, OptionFields {
    public enum Status: String, Sendable, Hashable, OptionChoice { case dialing, ringing, progressing, terminating, canceling, hangup }

    public var status = Status.progressing
    public var falseTargetID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.choice("status", &status, .required)
        visitor.target("false_target_id", &falseTargetID)
    }
}
