import Contracts
import Flow

/// What a customer sent in as a flow or a change of one: checked as a whole, so that one answer names every mistake.
struct FlowDraft {
    var name: String?
    var actions: [Action]?

    static let longestName = 255

    init(name: String?, actions: JSONValue?, validation: Validation) throws(RPCError) {
        var problems: [Contracts.Problem] = []
        if let name {
            if name.isEmpty {
                problems.append(.init(pointer: "/name", code: "missing", detail: "name must not be empty"))
            } else if name.utf8.count > Self.longestName {
                let detail = "at most \(Self.longestName) bytes, not \(name.utf8.count)"
                problems.append(.init(pointer: "/name", code: "too_long", detail: detail))
            }
        }
        if let actions {
            switch validation.actions(actions) {
            case .success(let actions): self.actions = actions
            case .failure(let found): problems += found.list.map { Contracts.Problem($0) }
            }
        }
        guard problems.isEmpty else { throw RPCError(.invalid, "the flow has mistakes", problems: problems) }
        self.name = name
    }
}

extension Contracts.Problem {
    init(_ problem: Flow.Problem) {
        self.init(pointer: problem.pointer, code: problem.code.rawValue, detail: problem.detail)
    }
}
