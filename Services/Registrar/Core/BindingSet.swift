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
        /// Removed by the request, or expired.
        var removed: [Binding] = []
    }

    private(set) var bindings: [Binding]

    init(_ bindings: [Binding] = []) { self.bindings = bindings }

    /// Those that last, highest q first, the latest first among equals.
    func reachable(now: Int64) -> [Binding] {
        bindings.filter { $0.expiresAt > now }.sorted { ($0.q, $0.expiresAt) > ($1.q, $1.expiresAt) }
    }

    mutating func removeExpired(now: Int64) -> [Binding] {
        let expired = bindings.filter { $0.expiresAt <= now }
        bindings.removeAll { $0.expiresAt <= now }
        return expired
    }

    mutating func apply(_ request: RegisterRequest, _ policy: Policy, now: Int64) throws(Defect) -> Change {
        var next = self
        var change = Change(removed: next.removeExpired(now: now))
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
        let binding = Binding(
            contact: contact.uri.description, path: request.path, q: contact.q, expiresAt: now + Int64(seconds) * 1_000,
            callID: request.callID, cseq: request.cseq, instanceID: contact.instanceID, regID: contact.regID,
            userAgent: request.userAgent)
        if let position {
            bindings[position] = binding
            change.refreshed.append(binding)
        } else {
            bindings.append(binding)
            change.created.append(binding)
        }
    }

    /// §10.3 step 7: an interval below the minimum is refused, not raised; one of an hour or more never is.
    private static func granted(_ wanted: Int?, _ policy: Policy) throws(Defect) -> Int {
        let wanted = wanted ?? policy.fallback
        guard wanted > 0 else { return 0 }
        guard wanted >= min(policy.minimum, 3_600) else { throw .intervalTooBrief(minimum: policy.minimum) }
        return min(max(wanted, policy.minimum), policy.maximum)
    }
}
