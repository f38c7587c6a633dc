/// `branch`: goes on at the action that a value selects. A variable is cleared by that; the value of an expression is not kept.
public struct Branch: Sendable, Hashable, OptionFields {
    public var variable: String?
    /// Instead of `variable`.
    public var expression: Expression?
    /// Where to go when no value fits; the next action without it.
    public var defaultTargetID: String?
    public var targetIDs: [String: String] = [:]

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("variable", &variable, .short)
        visitor.expression("expression", &expression)
        visitor.target("default_target_id", &defaultTargetID)
        visitor.targets("target_ids", &targetIDs)
    }

    func check(_ reader: inout OptionReader) {
        guard variable != nil, expression != nil else { return }
        reader.note(reader.pointer.pointing(at: "expression"), .invalidValue, "give either variable or expression")
    }
}

/// `goto`: goes on elsewhere, `loopCount` times; then it is passed over once and counts anew.
public struct Goto: Sendable, Hashable, OptionFields {
    public var targetID = ""
    /// 0 passes over it.
    public var loopCount = 0

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.target("target_id", &targetID, .required)
        visitor.integer("loop_count", &loopCount, .optional, in: 0...1000)
    }
}

/// `fetch_flow`: runs the actions of another flow, then goes on here.
public struct FetchFlow: Sendable, Hashable, OptionFields {
    public var flowID = ""

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("flow_id", &flowID, .required, .identifier)
    }
}

/// `variable_set`: gives a variable a value, or what an expression gives.
public struct VariableSet: Sendable, Hashable, OptionFields {
    public var key = ""
    /// Any JSON. The text `${name}` alone gives the variable's value with its type.
    public var value: JSONValue?
    public var expression: Expression?

    public init() {}

    /// What was pressed can be forgotten, as by `branch`; nothing else of the platform's is set.
    var forgetsDigits: Bool { value == .string("") && expression == nil && Variables.areDigits(key) }

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("key", &key, .required, .short)
        visitor.document("value", &value, .optional)
        visitor.expression("expression", &expression)
    }

    func check(_ reader: inout OptionReader) {
        if value == nil, expression == nil, reader.problems.isEmpty {
            reader.note(reader.pointer.pointing(at: "value"), .missing, "value or expression is required")
        } else if value != nil, expression != nil {
            reader.note(reader.pointer.pointing(at: "expression"), .invalidValue, "give either value or expression")
        }
        if !forgetsDigits { reader.noteReserved(key, at: "key") }
    }
}
