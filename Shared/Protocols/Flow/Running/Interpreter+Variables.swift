/// Variables that come from outside a flow while it runs.
extension Interpreter {
    private static let ours = ["voipbin.", "call.", "results.", "amd."]

    /// Sets them; those whose names are the platform's, or that a limit forbids, are left out and given back.
    public func set(_ values: [String: JSONValue], in run: inout Run) -> [String] {
        var refused: [String] = []
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            let isOurs = Self.ours.contains { name.hasPrefix($0) } || ["digits", "results"].contains(name)
            if isOurs || !run.variables.set(name, to: value, within: limits) { refused.append(name) }
        }
        return refused
    }
}
