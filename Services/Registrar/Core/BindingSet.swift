import SIP

/// All bindings of one address of record, and what a REGISTER makes of them (RFC 3261 §10.3 steps 6 and 7). Pure.
///
/// A request is performed as a whole or not at all. One that comes again (same Call-ID and CSeq) changes nothing, so its
/// answer is the same.
struct BindingSet: Sendable, Equatable {
    /// What a registrar grants; in seconds.
    struct Policy: Sendable {
        var minimum = 60
        var maximum = 3_600
        /// When the phone does not say.
        var fallback = 600
        var limit = 10
    }

    enum Defect: Error, Equatable {
        /// 423 with this Min-Expires.
        case intervalTooBrief(minimum: Int)
        /// 403: more contacts than the policy allows.
        case tooManyContacts
        /// 500: an older request than the one that made the binding.
        case outOfOrder
    }

    struct Change: Sendable, Equatable {
        var created: [Binding] = []
        var refreshed: [Binding] = []
        /// Ended by a request, or by another way to the same phone.
        var removed: [Binding] = []
        var expired: [Binding] = []
        var becameReachable: [Binding] = []
        var becameUnreachable: [Binding] = []

        /// The platform ended `removed`, not their phone.
        var isDeactivation = false

        /// Whether others are told.
        var isNews: Bool {
            !(created.isEmpty && removed.isEmpty && expired.isEmpty && becameReachable.isEmpty && becameUnreachable.isEmpty)
        }
    }

    private(set) var bindings: [Binding]

    init(_ bindings: [Binding] = []) { self.bindings = bindings }

    /// Those that last: first those that answer, then by q, the newest first among equals.
    func reachable(now: Int64) -> [Binding] {
        bindings.filter { $0.expiresAt > now }.sorted {
            if $0.isUnreachable != $1.isUnreachable { return $1.isUnreachable }
            return ($0.q, $0.refreshedAt, $0.expiresAt) > ($1.q, $1.refreshedAt, $1.expiresAt)
        }
    }

    mutating func removeExpired(now: Int64) -> [Binding] {
        let expired = bindings.filter { $0.expiresAt <= now }
        bindings.removeAll { $0.expiresAt <= now }
        return expired
    }

    mutating func apply(_ request: RegisterRequest, _ policy: Policy, now: Int64) throws(Defect) -> Change {
        var next = self
        var change = Change(expired: next.removeExpired(now: now))
        switch request.wish {
        case .list: break
        case .removeAll: try next.removeAll(request, &change)
        case .bind(let contacts):
            for contact in contacts { try next.bind(contact, request, policy, now: now, &change) }
        }
        guard next.bindings.count <= policy.limit else { throw .tooManyContacts }
        self = next
        return change
    }

    /// Takes away the binding that uses this flow; one that was registered anew over another stays.
    mutating func removeFlow(contact: String, path: [String]) -> Change {
        let dead = bindings.filter { $0.contact == contact && $0.path == path }
        bindings.removeAll { $0.contact == contact && $0.path == path }
        return Change(removed: dead, isDeactivation: true)
    }

    /// What an OPTIONS has shown of a binding, unless it was registered anew meanwhile over another flow. Nil when nothing changes.
    mutating func mark(_ key: String, path: [String], isUnreachable: Bool) -> Change? {
        guard let position = bindings.firstIndex(where: { $0.key == key && $0.path == path }),
            bindings[position].isUnreachable != isUnreachable
        else { return nil }
        bindings[position].isUnreachable = isUnreachable
        let marked = [bindings[position]]
        return isUnreachable ? Change(becameUnreachable: marked) : Change(becameReachable: marked)
    }

    private mutating func removeAll(_ request: RegisterRequest, _ change: inout Change) throws(Defect) {
        let isOutOfOrder = bindings.contains { $0.callID == request.callID && $0.cseq >= request.cseq }
        guard !isOutOfOrder else { throw .outOfOrder }
        change.removed += bindings
        bindings = []
    }

    private mutating func bind(
        _ contact: RegisterRequest.Contact, _ request: RegisterRequest, _ policy: Policy, now: Int64, _ change: inout Change
    ) throws(Defect) {
        let seconds = try Self.granted(contact.expires, policy)
        let position = bindings.firstIndex { contact.isSame(as: $0) }
        if let position, bindings[position].callID == request.callID {
            guard request.cseq >= bindings[position].cseq else { throw .outOfOrder }
            // The same request once more.
            if request.cseq == bindings[position].cseq { return }
        }
        guard seconds > 0 else {
            if let position { change.removed.append(bindings.remove(at: position)) }
            return
        }
        let known = position.map { bindings[$0] }
        var binding = Binding(
            contact: contact.uri.description, path: request.path, q: contact.q, expiresAt: now + Int64(seconds) * 1_000,
            callID: request.callID, cseq: request.cseq, instanceID: contact.instanceID, regID: contact.regID,
            userAgent: request.userAgent, registeredAt: known?.registeredAt ?? now, refreshedAt: now)
        binding.generation = contact.instanceID.map { generation(of: $0, callID: request.callID, now: now) }
        // What is known of a flow says nothing about another one.
        if let known, known.path == binding.path, known.contact == binding.contact { binding.isUnreachable = known.isUnreachable }
        if let position {
            bindings[position] = binding
            change.refreshed.append(binding)
            if known?.isUnreachable == true, !binding.isUnreachable { change.becameReachable.append(binding) }
        } else {
            if binding.regID != nil { removePlain(contact, &change) }
            bindings.append(binding)
            change.created.append(binding)
        }
    }

    /// A phone that has begun to use outbound would otherwise be rung twice until its old binding ends.
    private mutating func removePlain(_ contact: RegisterRequest.Contact, _ change: inout Change) {
        let isOld = { (binding: Binding) in
            binding.regID == nil && binding.instanceID == contact.instanceID
                && URI(binding.contact).map { contact.uri.isEquivalent(to: $0) } == true
        }
        change.removed += bindings.filter(isOld)
        bindings.removeAll(where: isOld)
    }

    /// RFC 5627 §5.1: all flows of an instance that are registered with one Call-ID share their temporary GRUUs.
    private func generation(of instanceID: String, callID: String, now: Int64) -> Int64 {
        let current = bindings.first { $0.instanceID == instanceID && $0.callID == callID }?.generation
        // Two generations of one instance must differ even when they begin within one millisecond.
        let latest = bindings.lazy.filter { $0.instanceID == instanceID }.compactMap(\.generation).max() ?? 0
        return current ?? max(now, latest + 1)
    }

    /// §10.3 step 7: an interval below the minimum is refused, not raised; one of an hour or more never is.
    private static func granted(_ wanted: Int?, _ policy: Policy) throws(Defect) -> Int {
        let wanted = wanted ?? policy.fallback
        guard wanted > 0 else { return 0 }
        guard wanted >= min(policy.minimum, 3_600) else { throw .intervalTooBrief(minimum: policy.minimum) }
        return min(max(wanted, policy.minimum), policy.maximum)
    }
}
