public import Flow

/// What happened when a case was played, and what of it was not expected.
public struct Report: Sendable {
    /// Something that happened, and when in virtual time (milliseconds from the first action).
    public struct Event: Sendable, Hashable {
        public let time: Int
        public let what: String
    }

    public internal(set) var events: [Event] = []
    public internal(set) var path: [String] = []
    public internal(set) var heard: [String] = []
    public internal(set) var called: [String] = []
    public internal(set) var requests: [String] = []
    var recordings: [String] = []
    public internal(set) var finished = ""
    public internal(set) var duration = 0
    public internal(set) var variables = Variables()
    /// What was expected and was not so; empty when all is well.
    public internal(set) var mistakes: [String] = []

    mutating func judge(_ expected: Trial.Expected) {
        compare("path", path, expected.path)
        compare("heard", heard, expected.heard)
        compare("called", called, expected.called)
        compare("requests", requests, expected.requests)
        if let wanted = expected.passes {
            var rest = wanted[...]
            for id in path where id == rest.first { rest.removeFirst() }
            if let missing = rest.first { mistakes.append("passes: \"\(missing)\" does not come, or not in that order, in \(path)") }
        }
        for id in expected.avoids ?? [] where path.contains(id) { mistakes.append("avoids: \"\(id)\" is performed") }
        if let wanted = expected.finished, wanted != finished { mistakes.append("finished: \"\(finished)\" and not \"\(wanted)\"") }
        if let longest = expected.longest, duration > longest { mistakes.append("longest: it takes \(duration) ms and not at most \(longest)") }
        for (name, wanted) in expected.variables.sorted(by: { $0.key < $1.key }) {
            let value = variables.value(of: name) ?? .null
            if value != wanted, value.plainText != wanted.plainText {
                mistakes.append("variables: \(name) is \(value.jsonText) and not \(wanted.jsonText)")
            }
        }
        for expression in expected.holds where !expression.holds(with: variables) { mistakes.append("holds: \(expression.text) does not") }
    }

    private mutating func compare(_ name: String, _ actual: [String], _ wanted: [String]?) {
        guard let wanted, wanted != actual else { return }
        mistakes.append("\(name): \(actual) and not \(wanted)")
    }
}
