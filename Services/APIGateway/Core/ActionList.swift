import Contracts
import Flow
import Foundation

/// One mistake in what was sent in. The Flow module has a type of the same name for its own documents.
typealias Problem = Contracts.Problem

/// Flow actions in a request: validated here, so that a mistake is answered without a way over the bus.
enum ActionList {
    /// How many of them there may be is the FlowManager's to say; here are the most that can be set there.
    private static let limits: Limits = {
        var limits = Limits()
        (limits.actions, limits.branches) = (10_000, 64)
        return limits
    }()

    private static let validation = Validation(limits: limits, timeZones: TimeZones { name, unixSeconds in
        TimeZone(identifier: name)?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(unixSeconds)))
    })

    static func read(_ value: JSONValue, at pointer: String = "/actions") -> Result<[Action], ProblemDocument> {
        validation.actions(value, at: pointer).mapError { .invalid($0.list.map(Problem.init)) }
    }

    static func problems(in value: JSONValue, at pointer: String) -> [Problem] {
        guard case .failure(let mistakes) = validation.actions(value, at: pointer) else { return [] }
        return mistakes.list.map(Problem.init)
    }
}

extension Problem {
    init(_ mistake: Flow.Problem) {
        self.init(pointer: mistake.pointer, code: mistake.code.rawValue, detail: mistake.detail)
    }
}
