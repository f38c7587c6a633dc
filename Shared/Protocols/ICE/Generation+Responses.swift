internal import Addresses
internal import Deadlines
internal import STUN

// What an answer to a check of ours does (RFC 8445 §7.2.5).
extension Generation {
    /// False when nothing of this generation was asked with that transaction.
    mutating func receive(
        response message: Message, _ datagram: Span<UInt8>, over path: Path, now: Instant, _ core: inout Core,
        into outbox: inout Outbox
    ) -> Bool {
        let transaction = message.transaction(in: datagram)
        if let index = selections.firstIndex(where: { $0.hasAsked(transaction) }) {
            guard isAuthentic(message, datagram, &core) else { return true }
            guard message.kind == .success, path == selections[index].path else {
                core.counts.unmatched += 1
                let isConflict = path == selections[index].path && (try? message.errorCode(in: datagram)) == 487
                if isConflict { insist(from: core.role, &core, into: &outbox) }
                return true
            }
            selections[index].answered(transaction, now: now, lifetime: core.configuration.consentLifetime)
            return true
        }
        guard let index = pairs.firstIndex(where: { $0.check(of: transaction) != nil }),
            let check = pairs[index].check(of: transaction)
        else { return false }
        guard isAuthentic(message, datagram, &core) else { return true }
        guard !message.hasUnknownRequired else {
            core.counts.malformed += 1
            return true
        }
        // What comes from elsewhere than it was asked has another path back (§7.2.5.2.1).
        guard path == pairs[index].path else {
            core.counts.unmatched += 1
            fail(index)
            return true
        }
        if message.kind == .success {
            guard let mapped = try? message.mappedAddress(in: datagram) else {
                core.counts.malformed += 1
                return true
            }
            succeed(index, check, mapped, now: now, &core, into: &outbox)
        } else if (try? message.errorCode(in: datagram)) == 487, conflicts < Self.mostConflicts {
            settleRoles(index, check, &core, into: &outbox)
        } else {
            fail(index)
        }
        return true
    }

    /// An answer without the right code is nobody's, whatever it says (RELIABILITY V6).
    private func isAuthentic(_ message: Message, _ datagram: Span<UInt8>, _ core: inout Core) -> Bool {
        if message.isAuthentic(datagram, key: remoteKey) { return true }
        core.counts.unauthentic += 1
        return false
    }

    private mutating func succeed(
        _ index: Int, _ check: Check, _ mapped: SocketAddress, now: Instant, _ core: inout Core, into outbox: inout Outbox
    ) {
        let path = pairs[index].path
        pairs[index].isValid = true
        pairs[index].heardAt = now
        pairs[index].mappedAddress = mapped
        if pairs[index].check?.transaction == check.transaction {
            (pairs[index].check, pairs[index].state) = (nil, .succeeded)
        } else {
            // Another check of it waits already, or follows a nomination.
            pairs[index].cancelled = nil
        }
        believe(path, &core)
        firstValidAt = firstValidAt ?? now
        for other in pairs.indices where pairs[other].state == .frozen && pairs[other].foundation == pairs[index].foundation {
            pairs[other].state = .waiting
        }
        if core.role == .controlled {
            if pairs[index].isAwaited { selectNominated(index, now: now, &core, into: &outbox) }
        } else if check.nominates {
            pairs[index].nominates = false
            let pair = pairs[index]
            select(path, priority: pair.priority(core.role), checkPriority: pair.checkPriority, now: now, &core, into: &outbox)
        }
    }

    /// §7.2.5.1: both thought they had the same role; the other one insists.
    private mutating func settleRoles(_ index: Int, _ check: Check, _ core: inout Core, into outbox: inout Outbox) {
        insist(from: check.role, &core, into: &outbox)
        trigger(index, first: false)
        pairs[index].cancelled = nil
    }

    /// What was asked before the last change of roles changes them no more.
    private mutating func insist(from role: Role, _ core: inout Core, into outbox: inout Outbox) {
        core.counts.roleConflicts += 1
        guard core.role == role, conflicts < Self.mostConflicts else { return }
        conflicts += 1
        core.switchRole(to: role.other, into: &outbox)
    }

    /// Two agents that agree need one; two that never will are not to talk about it for ever.
    private static let mostConflicts = 8

    mutating func fail(_ index: Int) {
        triggered.removeAll { $0 == pairs[index].id }
        (pairs[index].state, pairs[index].isValid, pairs[index].check, pairs[index].cancelled) = (.failed, false, nil, nil)
        (pairs[index].nominates, pairs[index].isAwaited) = (false, false)
    }
}
