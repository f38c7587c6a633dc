/// `branch`: goes on at the action that the value of a variable selects, and clears the variable.
public struct Branch: Sendable, Hashable, OptionFields {
    public var variable: String?
    /// Where to go when no value fits; the next action without it.
    public var defaultTargetID: String?
    public var targetIDs: [String: String] = [:]

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("variable", &variable, .short)
        visitor.target("default_target_id", &defaultTargetID)
        visitor.targets("target_ids", &targetIDs)
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

/// `variable_set`: gives a variable a value.
public struct VariableSet: Sendable, Hashable, OptionFields {
    public var key = ""
    public var value = ""

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.string("key", &key, .required, .short)
        visitor.string("value", &value, .required, .value)
    }
}
