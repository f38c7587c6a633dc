/// Variables that are set by a flow, or from outside while it runs.
extension Interpreter {
    /// Sets one; the code of why not when its name is the platform's, or a limit forbids it.
    func keep(_ value: JSONValue, as name: String, in run: inout Run) -> String? {
        if Variables.isReserved(name) { return "reserved_name" }
        return run.variables.set(name, to: value, within: limits) ? nil : "variable_limit"
    }

    /// Sets them; those whose names are the platform's, or that a limit forbids, are left out and given back.
    public func set(_ values: [String: JSONValue], in run: inout Run) -> [String] {
        var refused: [String] = []
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if keep(value, as: name, in: &run) != nil { refused.append(name) }
        }
        return refused
    }
}
