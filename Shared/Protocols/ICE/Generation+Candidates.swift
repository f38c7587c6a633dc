internal import Addresses
internal import Deadlines

// Their candidates and the pairs made of them (RFC 8445 §6.1.2, RFC 8838 §12).
extension Generation {
    /// False when it is not for us: of another component or generation, or one too many.
    mutating func add(_ candidate: Candidate, now: Instant, _ core: inout Core) -> Bool {
        guard core.components.contains(candidate.component.rawValue) else { return false }
        if let fragment = candidate.fragment, let remote, fragment != remote.fragment { return false }
        guard !remotes.contains(where: { $0.address == candidate.address && $0.component == candidate.component }) else { return true }
        guard makeRoom(&core) else { return false }
        remotes.append(candidate)
        pair(candidate, now: now, &core)
        return true
    }

    /// The least of those nothing works with makes room.
    private mutating func makeRoom(_ core: inout Core) -> Bool {
        guard remotes.count >= core.configuration.maximumRemoteCandidates else { return true }
        core.counts.overflowed += 1
        let unused = remotes.indices.filter { index in
            let candidate = remotes[index]
            return !pairs.contains { $0.path.remote == candidate.address && ($0.isOpen || $0.isValid || isSelected($0.path)) }
        }
        guard let least = unused.min(by: { remotes[$0].priority < remotes[$1].priority }) else { return false }
        let address = remotes.remove(at: least).address
        pairs.removeAll { $0.path.remote == address }
        return true
    }

    /// Pairs of every base of ours with this candidate; only a full agent has any.
    private mutating func pair(_ candidate: Candidate, now: Instant, _ core: inout Core) {
        guard core.mode == .full, remote != nil else { return }
        for local in core.locals where local.candidate.component == candidate.component {
            _ = insert(local, candidate, now: now, &core)
        }
    }

    /// With their credentials known, or another base of ours: what can be checked now.
    mutating func pairAll(now: Instant, _ core: inout Core) {
        for candidate in remotes { pair(candidate, now: now, &core) }
    }

    /// The index of the pair, made when it is new; nil when there is no room for it.
    mutating func insert(_ local: Core.Local, _ candidate: Candidate, now: Instant, _ core: inout Core) -> Int? {
        let path = Path(component: candidate.component, base: local.base, remote: candidate.address)
        if let index = pairIndex(path) { return index }
        guard Candidate.canReach(local.base.address, candidate.address.address) else { return nil }
        // A settled component is done with ordinary checks (§8.1.2).
        let isSettled = hasSelection(path.component)
        let pair = Pair(
            id: nextPairID, path: path, foundation: local.candidate.foundation + ":" + candidate.foundation,
            localPriority: local.candidate.priority, remotePriority: candidate.priority,
            checkPriority: local.candidate.peerReflexivePriority, state: .frozen)
        guard makeRoom(for: pair, core.role, &core) else { return nil }
        nextPairID += 1
        pairs.append(pair)
        pairs[pairs.count - 1].state = isSettled ? .failed : initialState(of: pair)
        if nextCheckAt < now { nextCheckAt = now }
        return pairs.count - 1
    }

    /// §6.1.2.5: of too many pairs the least goes.
    private mutating func makeRoom(for pair: Pair, _ role: Role, _ core: inout Core) -> Bool {
        guard pairs.count >= core.configuration.maximumPairs else { return true }
        core.counts.overflowed += 1
        let spare = pairs.indices.filter { !pairs[$0].isValid && !isSelected(pairs[$0].path) && pairs[$0].state != .inProgress }
        let failed = spare.filter { pairs[$0].state == .failed }
        guard let least = (failed.isEmpty ? spare : failed).min(by: { pairs[$0].priority(role) < pairs[$1].priority(role) }),
            !failed.isEmpty || pairs[least].priority(role) < pair.priority(role)
        else { return false }
        triggered.removeAll { $0 == pairs[least].id }
        pairs.remove(at: least)
        return true
    }

    /// RFC 8445 §6.1.2.6, RFC 8838 §12: one of a foundation goes first, and opens the way for the others.
    private func initialState(of pair: Pair) -> Pair.State {
        let alike = pairs.filter { $0.foundation == pair.foundation && $0.id != pair.id }
        if alike.contains(where: { $0.state == .succeeded }) { return .waiting }
        return alike.contains { $0.state == .waiting || $0.state == .inProgress } ? .frozen : .waiting
    }

    /// A candidate nobody had named (§7.3.1.3).
    mutating func discover(_ path: Path, priority: UInt32, _ core: inout Core) -> Candidate? {
        if let known = remotes.first(where: { $0.address == path.remote && $0.component == path.component }) { return known }
        guard makeRoom(&core) else { return nil }
        let candidate = Candidate(
            foundation: "\(path.remote)", component: path.component, priority: priority, address: path.remote, kind: .peerReflexive,
            relatedAddress: nil, fragment: nil)
        remotes.append(candidate)
        return candidate
    }

    /// Two lite agents make no checks: the best addresses of both are the path (§8.2).
    mutating func selectWithoutChecks(now: Instant, _ core: inout Core, into outbox: inout Outbox) {
        guard core.mode == .lite, core.remoteIsLite, remote != nil else { return }
        for number in core.components where !hasSelection(Component(rawValue: number)) {
            let best = core.locals.flatMap { local in remotes.map { (local, $0) } }
                .filter { local, theirs in
                    local.candidate.component.rawValue == number && theirs.component.rawValue == number
                        && Candidate.canReach(local.base.address, theirs.address.address)
                }
                .max { ($0.1.priority, $0.0.candidate.priority) < ($1.1.priority, $1.0.candidate.priority) }
            guard let (local, theirs) = best else { continue }
            let path = Path(component: theirs.component, base: local.base, remote: theirs.address)
            believe(path, &core)
            select(path, priority: 0, checkPriority: 1, now: now, &core, into: &outbox)
        }
    }
}
