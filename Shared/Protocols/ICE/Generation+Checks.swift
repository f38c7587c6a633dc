internal import Addresses
internal import Deadlines
internal import STUN

// Which check goes out when (RFC 8445 §6.1.4.2, §14).
extension Generation {
    var hasWaitingCheck: Bool { !triggered.isEmpty || pairs.contains { $0.state == .waiting || $0.state == .frozen } }

    mutating func sendNextCheck(now: Instant, _ core: inout Core, into outbox: inout Outbox) {
        nextCheckAt = now + core.configuration.pacing
        guard let index = takeNext(core.role) else { return }
        let pair = pairs[index]
        let nominates = pair.nominates && core.role == .controlling
        let transaction = core.transactions.next()
        let bytes = request(transaction, priority: pair.checkPriority, nominates: nominates, core)
        let busy = pairs.count { $0.state == .waiting || $0.state == .inProgress }
        let timeout = max(core.configuration.retransmission, core.configuration.pacing * busy)
        pairs[index].check = Check(transaction, bytes, role: core.role, nominates: nominates, timeout: timeout, now: now)
        pairs[index].state = .inProgress
        outbox.send(bytes, from: pair.path.base, to: pair.path.remote)
    }

    /// A triggered one, else the best that waits, else the best of a foundation nothing is known of.
    private mutating func takeNext(_ role: Role) -> Int? {
        while !triggered.isEmpty {
            let id = triggered.removeFirst()
            if let index = pairs.firstIndex(where: { $0.id == id && $0.state == .waiting }) { return index }
        }
        if let best = best(role, where: { $0.state == .waiting }) { return best }
        let busy = Set(pairs.filter { $0.state == .inProgress }.map(\.foundation))
        return best(role) { $0.state == .frozen && !busy.contains($0.foundation) }
    }

    func best(_ role: Role, where isSuitable: (Pair) -> Bool) -> Int? {
        pairs.indices.filter { isSuitable(pairs[$0]) }.max { left, right in
            let (a, b) = (pairs[left].priority(role), pairs[right].priority(role))
            return a == b ? pairs[left].path.component > pairs[right].path.component : a < b
        }
    }

    func request(_ transaction: TransactionID, priority: UInt32, nominates: Bool, _ core: Core) -> [UInt8] {
        var message = MessageWriter(.request, transaction: transaction)
        message.text(.username, outgoingName)
        message.tieBreaker(core.role == .controlling ? .iceControlling : .iceControlled, core.tieBreaker)
        message.priority(priority)
        if nominates { message.useCandidate() }
        return message.sealed(key: remoteKey)
    }

    mutating func expireChecks(now: Instant, _ core: inout Core, into outbox: inout Outbox) {
        for index in pairs.indices {
            guard var check = pairs[index].check, check.deadline <= now else { continue }
            switch check.expire(now: now, core.configuration) {
            case .sendAgain:
                pairs[index].check = check
                outbox.send(check.bytes, from: pairs[index].path.base, to: pairs[index].path.remote)
            case .giveUp:
                fail(index)
            }
        }
    }
}
