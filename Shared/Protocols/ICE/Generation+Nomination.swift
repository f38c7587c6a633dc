internal import Addresses
internal import Deadlines
internal import STUN

// Which pair is used (RFC 8445 §8), and for how long (RFC 7675).
extension Generation {
    /// Regular nomination: once the best valid pair is likely the best there will be, it is checked again with USE-CANDIDATE.
    mutating func nominate(now: Instant, _ core: Core) {
        guard core.mode == .full, !isClosing, let firstValidAt else { return }
        guard core.role == .controlling else {
            // Who has lost the role asks for nothing any more.
            for index in pairs.indices { pairs[index].nominates = false }
            return
        }
        for number in core.components {
            let component = Component(rawValue: number)
            guard !hasSelection(component), !isNominating(component),
                let best = best(core.role, where: { $0.isValid && $0.path.component == component })
            else { continue }
            let priority = pairs[best].priority(core.role)
            let mayImprove = pairs.contains {
                $0.path.component == component && $0.isOpen && !$0.isValid && $0.priority(core.role) > priority
            }
            if mayImprove, now < firstValidAt + core.configuration.nominationDelay { continue }
            pairs[best].nominates = true
            trigger(best, first: true)
        }
    }

    private func isNominating(_ component: Component) -> Bool { pairs.contains { $0.nominates && $0.path.component == component } }

    /// When waiting for something better ends.
    func nominationDeadline(_ core: Core) -> Instant? {
        guard core.mode == .full, core.role == .controlling, let firstValidAt else { return nil }
        let isWaiting = core.components.contains { number in
            let component = Component(rawValue: number)
            return !hasSelection(component) && !isNominating(component)
                && pairs.contains { $0.isValid && $0.path.component == component }
        }
        return isWaiting ? firstValidAt + core.configuration.nominationDelay : nil
    }

    /// They asked for a pair that works. Among several the best stays (some nominate all they find), unless it fell silent.
    mutating func selectNominated(_ index: Int, now: Instant, _ core: inout Core, into outbox: inout Outbox) {
        let pair = pairs[index]
        pairs[index].isAwaited = false
        let priority = pair.priority(core.role)
        if let current = selection(pair.path.component), current.path != pair.path, !current.isLost, current.priority > priority,
            now - current.heardAt < core.configuration.silence
        {
            return
        }
        select(pair.path, priority: priority, checkPriority: pair.checkPriority, now: now, &core, into: &outbox)
    }

    mutating func select(
        _ path: Path, priority: UInt64, checkPriority: UInt32, now: Instant, _ core: inout Core, into outbox: inout Outbox
    ) {
        // What was lost comes back by a restart only (RFC 7675 §5.1).
        guard !isSelected(path) else { return }
        let isFull = core.mode == .full
        let selection = Selection(
            path, priority: priority, checkPriority: checkPriority, heardAt: now,
            nextAt: now + (isFull ? core.consentInterval() : core.configuration.keepAliveInterval),
            consentUntil: isFull || !core.remoteIsLite ? now + core.configuration.consentLifetime : nil)
        if let index = selections.firstIndex(where: { $0.path.component == path.component }) {
            selections[index] = selection
        } else {
            selections.append(selection)
        }
        outbox.events.append(.selected(path))
        settle(path)
        if !isConnected, isSettled(core.components) {
            (isConnected, hasFailed) = (true, false)
            outbox.events.append(.connected)
        }
    }

    /// §8.1.2: what has not been checked will not be, and what is under way is not repeated.
    private mutating func settle(_ path: Path) {
        let isOver = { (pair: Pair) in
            pair.path.component == path.component && pair.path != path && !pair.isValid
                && (pair.state == .frozen || pair.state == .waiting)
        }
        var gone = Set(pairs.filter(isOver).map(\.id))
        if let index = pairIndex(path), pairs[index].isValid, pairs[index].state == .waiting {
            pairs[index].state = .succeeded
            gone.insert(pairs[index].id)
        }
        triggered.removeAll(where: gone.contains)
        pairs.removeAll(where: isOver)
        for index in pairs.indices
        where pairs[index].path.component == path.component && pairs[index].path != path && pairs[index].state == .inProgress {
            pairs[index].cancelled = pairs[index].check
            (pairs[index].check, pairs[index].state) = (nil, .failed)
        }
    }

    // MARK: Consent and keep-alives

    mutating func expireSelections(now: Instant, _ core: inout Core, into outbox: inout Outbox) {
        for index in selections.indices where !selections[index].isLost {
            let path = selections[index].path
            if let end = selections[index].consentUntil, end <= now {
                selections[index].isLost = true
                validated.removeAll { $0 == path }
                outbox.events.append(.consentLost(path))
            } else if selections[index].nextAt <= now {
                let transaction = core.transactions.next()
                if core.mode == .full {
                    let bytes = request(transaction, priority: selections[index].checkPriority, nominates: false, core)
                    selections[index].ask(transaction)
                    selections[index].nextAt = now + core.consentInterval()
                    outbox.send(bytes, from: path.base, to: path.remote)
                } else {
                    selections[index].nextAt = now + core.configuration.keepAliveInterval
                    let indication = MessageWriter(.indication, transaction: transaction)
                    outbox.send(indication.fingerprinted(), from: path.base, to: path.remote)
                }
            }
        }
    }
}
