import Contracts
import Flow
import Foundation
import ServiceKit
import Synchronization

/// One mistake in what was sent in. The Flow module has a type of the same name for its own documents.
typealias Problem = Contracts.Problem

/// Flow actions in a request: validated here, so that a mistake is answered without a way over the bus.
enum ActionList {
    /// As FlowManagers have them: what one of them would refuse is refused before a phone rings.
    static let settings = [
        Setting("TANDEM_FLOW_ACTIONS", .integer(1...10_000), default: "500", "actions one flow may have; as the FlowManagers have it"),
        Setting("TANDEM_FLOW_BRANCHES", .integer(1...64), default: "8", "branches that one parallel may have; as the FlowManagers have it"),
    ]

    private static let limits = Mutex(Limits())

    /// Said once, before anybody asks.
    static func configure(_ settings: Settings) {
        limits.withLock {
            $0.actions = settings.integer("TANDEM_FLOW_ACTIONS")
            $0.branches = settings.integer("TANDEM_FLOW_BRANCHES")
        }
    }

    private static let timeZones = TimeZones { name, unixSeconds in
        TimeZone(identifier: name)?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(unixSeconds)))
    }

    private static var validation: Validation { Validation(limits: limits.withLock { $0 }, timeZones: timeZones) }

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
