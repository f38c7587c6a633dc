import Cache
import Contracts

/// All limits there are, and which of them a call falls under.
struct CallLimitTable: Sendable {
    /// What holds for a customer that has no limit of its own; nil: any number.
    struct Defaults: Sendable, Equatable {
        var concurrentCalls: Int?
        var callsPerSecond: Int?
    }

    /// A bound that a call falls under, and what is said of it.
    struct Applied: Sendable, Equatable {
        let scope: CallLimit.Scope
        let target: String?
        let bound: Allowances.Bound
        let maxCallSeconds: Int?
    }

    private struct Limits {
        var own: CallLimit?
        var trunks: [String: CallLimit] = [:]
        var numbers: [String: CallLimit] = [:]
        /// By the prefix, without the asterisk.
        var prefixes: [String: CallLimit] = [:]
    }

    private let defaults: Defaults
    private var customers: [String: Limits] = [:]

    init(_ limits: [CallLimit] = [], defaults: Defaults) {
        self.defaults = defaults
        for limit in limits {
            switch (limit.scope, limit.target) {
            case (.trunk, let target?): customers[limit.customerID, default: Limits()].trunks[target] = limit
            case (.destination, let target?) where target.hasSuffix("*"):
                customers[limit.customerID, default: Limits()].prefixes[String(target.dropLast())] = limit
            case (.destination, let target?): customers[limit.customerID, default: Limits()].numbers[target] = limit
            case (.customer, _): customers[limit.customerID, default: Limits()].own = limit
            case (_, nil): break
            }
        }
    }

    /// Everything that bounds a leg, the customer's own first.
    func bounds(on counted: Leg.Counted, of customer: String) -> [Applied] {
        let limits = customers[customer]
        var found: [Applied] = []
        if counted.isCall {
            let bound = Allowances.Bound(
                key: Self.key(.customer, nil, of: customer), atOnce: limits?.own?.concurrentCalls ?? defaults.concurrentCalls,
                perSecond: limits?.own?.callsPerSecond ?? defaults.callsPerSecond)
            let longest = limits?.own?.maxCallSeconds
            if bound.atOnce != nil || bound.perSecond != nil || longest != nil {
                found.append(Applied(scope: .customer, target: nil, bound: bound, maxCallSeconds: longest))
            }
        }
        guard let limits else { return found }
        if let trunk = counted.trunk, let limit = limits.trunks[trunk] { found.append(Self.applied(limit)) }
        guard let number = counted.destination else { return found }
        if let limit = limits.numbers[number] { found.append(Self.applied(limit)) }
        if !limits.prefixes.isEmpty {
            for end in number.indices {
                if let limit = limits.prefixes[String(number[..<end])] { found.append(Self.applied(limit)) }
            }
            if let limit = limits.prefixes[number] { found.append(Self.applied(limit)) }
        }
        return found
    }

    private static func applied(_ limit: CallLimit) -> Applied {
        let bound = Allowances.Bound(
            key: key(limit.scope, limit.target, of: limit.customerID), atOnce: limit.concurrentCalls, perSecond: limit.callsPerSecond)
        return Applied(scope: limit.scope, target: limit.target, bound: bound, maxCallSeconds: limit.maxCallSeconds)
    }

    /// Under which the calls are counted: the same before and after a limit was deleted and made anew. What the customer chose stands last.
    static func key(_ scope: CallLimit.Scope, _ target: String?, of customer: String) -> String {
        "\(scope.rawValue):\(customer)" + (target.map { ":" + $0 } ?? "")
    }
}
