import Contracts

/// Which bindings a request is sent to (RFC 3261 §16.6, RFC 5626 §7, RFC 5627 §5.3).
extension BindingSet {
    /// One phone, or one contact: `flows` are the ways to it, the one to try first in front.
    struct Target: Sendable, Equatable {
        var flows: [Binding]
    }

    /// Every phone once, whatever number of flows it has.
    func targets(now: Int64) -> [Target] {
        var targets: [Target] = []
        for binding in reachable(now: now) where binding.isSIP {
            let position = binding.regID == nil ? nil : targets.firstIndex { target in
                target.flows[0].regID != nil && target.flows[0].instanceID == binding.instanceID
            }
            if let position { targets[position].flows.append(binding) } else { targets.append(Target(flows: [binding])) }
        }
        return targets.map { target in
            let flows = target.flows.enumerated().sorted { Self.isTried($0, before: $1) }
            return Target(flows: flows.map(\.element))
        }
    }

    /// The one phone for whose bindings `isMeant` holds: the contact that was registered last, the others behind it. Empty when it
    /// is not registered now.
    func instance(now: Int64, where isMeant: (Binding) -> Bool) -> [Target] {
        let flows = reachable(now: now).filter { $0.isSIP && isMeant($0) }.enumerated().sorted { Self.isTried($0, before: $1) }.map(\.element)
        return flows.isEmpty ? [] : [Target(flows: flows)]
    }

    /// The newest of those that answer; q chooses among phones, not among the ways to one.
    private static func isTried(
        _ left: (offset: Int, element: Binding), before right: (offset: Int, element: Binding)
    ) -> Bool {
        if left.element.isUnreachable != right.element.isUnreachable { return right.element.isUnreachable }
        let (mine, theirs) = (left.element.refreshedAt, right.element.refreshedAt)
        return mine == theirs ? left.offset < right.offset : mine > theirs
    }
}
