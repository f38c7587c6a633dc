/// Puts variables into the string options of an action. Targets, words and numbers are the flow's own and stay.
struct OptionSubstitution: OptionVisitor {
    let variables: Variables
    let limits: Limits

    private func fill(_ text: inout String) {
        text = variables.substituted(in: text, bytes: limits.substitutedBytes)
    }

    private func fill(_ text: inout String?) {
        text = text.map { variables.substituted(in: $0, bytes: limits.substitutedBytes) }
    }

    private func fill(_ address: inout Address) {
        fill(&address.target)
        fill(&address.targetName)
        fill(&address.name)
        fill(&address.detail)
    }

    mutating func string(_ name: String, _ value: inout String, _ presence: Presence, _ length: Length) { fill(&value) }
    mutating func string(_ name: String, _ value: inout String?, _ length: Length) { fill(&value) }

    mutating func strings(_ name: String, _ value: inout [String], _ presence: Presence, _ length: Length) {
        for index in value.indices { fill(&value[index]) }
    }

    mutating func digits(_ name: String, _ value: inout String, _ presence: Presence) {
        fill(&value)
        // A variable may hold anything; only keys can be pressed.
        value = String(value.filter(Keypad.has).prefix(Keypad.most))
    }

    mutating func address(_ name: String, _ value: inout Address?) {
        guard var address = value else { return }
        fill(&address)
        value = address
    }

    mutating func addresses(_ name: String, _ value: inout [Address], _ presence: Presence) {
        for index in value.indices { fill(&value[index]) }
    }

    mutating func document(_ name: String, _ value: inout JSONValue?, _ presence: Presence) {
        value = value.map { variables.value(in: $0, bytes: limits.substitutedBytes) }
    }

    mutating func texts(_ name: String, _ value: inout [String: String], _ length: Length) {
        value = value.mapValues { variables.substituted(in: $0, bytes: limits.substitutedBytes) }
    }

    mutating func objects<Fields: OptionFields>(_ name: String, _ value: inout [Fields], _ presence: Presence) {
        for index in value.indices { value[index].visit(&self) }
    }

    /// They have their own turn.
    mutating func actions(_ name: String, _ value: inout [Action], of owner: String) {}
    mutating func expression(_ name: String, _ value: inout Expression?) {}
    mutating func words(_ name: String, _ value: inout [String], _ words: [String]) {}
    mutating func integer(_ name: String, _ value: inout Int, _ presence: Presence, in range: ClosedRange<Int>) {}
    mutating func integer(_ name: String, _ value: inout Int?, in range: ClosedRange<Int>) {}
    mutating func integers(_ name: String, _ value: inout [Int], in range: ClosedRange<Int>) {}
    mutating func number(_ name: String, _ value: inout Double?) {}
    mutating func flag(_ name: String, _ value: inout Bool) {}
    mutating func choice<Choice: OptionChoice>(_ name: String, _ value: inout Choice, _ presence: Presence) {}
    mutating func choice<Choice: OptionChoice>(_ name: String, _ value: inout Choice?) {}
    mutating func timezone(_ name: String, _ value: inout String?) { fill(&value) }
    mutating func target(_ name: String, _ value: inout String, _ presence: Presence) {}
    mutating func target(_ name: String, _ value: inout String?) {}
    mutating func targets(_ name: String, _ value: inout [String: String]) {}
}

extension Action {
    /// Whether an option has a `${...}`. What is written holds every option text, and an action without one stays as it is.
    var hasTemplates: Bool {
        var (kind, writer) = (kind, OptionWriter())
        kind.visit(&writer)
        return writer.members.values.contains(where: \.hasTemplate)
    }

    /// The action as it is to be performed: every `${...}` replaced.
    public func substituting(_ variables: Variables, limits: Limits = Limits()) -> Action {
        var action = self
        var visitor = OptionSubstitution(variables: variables, limits: limits)
        action.kind.visit(&visitor)
        return action
    }
}

extension JSONValue {
    fileprivate var hasTemplate: Bool {
        switch self {
        case .string(let text): text.utf8.contains(UInt8(ascii: "$"))
        case .array(let elements): elements.contains(where: \.hasTemplate)
        case .object(let members): members.values.contains(where: \.hasTemplate)
        default: false
        }
    }
}
