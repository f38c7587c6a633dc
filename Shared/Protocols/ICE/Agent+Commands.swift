public import Addresses
public import Deadlines

// What signalling tells the agent.
extension Agent {
    /// A candidate of ours. `base` is what the caller names the socket by when that is bound elsewhere than the candidate says
    /// (behind a NAT, on a wildcard); candidates with one base are one to the checks. False beyond the bound.
    @discardableResult
    public mutating func addLocal(_ candidate: Candidate, base: SocketAddress? = nil, now: Instant) -> Bool {
        let local = Core.Local(candidate: candidate, base: base ?? candidate.address)
        guard core.components.contains(candidate.component.rawValue), core.locals.count < core.configuration.maximumLocalCandidates else {
            return false
        }
        guard !core.locals.contains(local) else { return true }
        core.locals.append(local)
        current.pairAll(now: now, &core)
        return true
    }

    /// Their description's credentials. False, and nothing happens, when others are known: then one side restarted, and ours
    /// has to, too (RFC 8445 §9).
    @discardableResult
    public mutating func setRemote(_ credentials: Credentials, isLite: Bool = false, now: Instant, into outbox: inout Outbox) -> Bool {
        guard current.remote == nil else { return current.remote == credentials }
        core.remoteIsLite = isLite
        // §6.1.1: where only one side makes checks, that one controls.
        if core.mode == .full, isLite { core.switchRole(to: .controlling, into: &outbox) }
        if core.mode == .lite, !isLite { core.switchRole(to: .controlled, into: &outbox) }
        current.setRemote(credentials)
        if core.mode == .full { current.startedAt = now }
        current.pairAll(now: now, &core)
        current.learnEarly(now: now, &core, into: &outbox)
        takeOverAfterCommand(into: &outbox)
        return true
    }

    /// Whether these credentials are a restart of theirs, to be answered by `restart` before `setRemote`.
    public func isRestart(_ credentials: Credentials) -> Bool { current.remote.map { $0 != credentials } ?? false }

    /// One of their candidates, from a description or later (RFC 8838). False when it is not for us or one too many.
    @discardableResult
    public mutating func addRemote(_ candidate: Candidate, now: Instant) -> Bool { current.add(candidate, now: now, &core) }

    /// None will follow.
    public mutating func endOfCandidates(now: Instant, into outbox: inout Outbox) {
        current.isComplete = true
        current.selectWithoutChecks(now: now, &core, into: &outbox)
        takeOverAfterCommand(into: &outbox)
    }

    /// RTCP shares the port of RTP (RFC 5761): the second component is no more.
    public mutating func useOneComponent(into outbox: inout Outbox) {
        guard core.componentCount > 1 else { return }
        core.componentCount = 1
        core.locals.removeAll { $0.candidate.component != .rtp }
        current.keepOnly(.rtp, core.components, into: &outbox)
        previous?.keepOnly(.rtp, core.components, into: &outbox)
        takeOverAfterCommand(into: &outbox)
    }

    /// Begins anew with other credentials (RFC 8445 §9). The path in use goes on until the new checks have one.
    public mutating func restart(local: Credentials) {
        if current.isConnected || previous == nil && !current.selections.isEmpty {
            current.isClosing = true
            previous = current
        }
        current = Generation(local: local)
    }

    /// The description that would have restarted was refused: all is as before.
    public mutating func cancelRestart() {
        guard var before = previous else { return }
        before.isClosing = false
        (current, previous) = (before, nil)
    }

    /// Something authentic came over the path in use at that time. It stands for a check: agents of before RFC 7675 make none once they
    /// have a path, and who sends protected media is there.
    public mutating func consented(_ component: Component = .rtp, at instant: Instant) {
        if let path = current.selection(component)?.path { current.consented(path, at: instant, core) }
        if let path = previous?.selection(component)?.path { previous?.consented(path, at: instant, core) }
    }

    private mutating func takeOverAfterCommand(into outbox: inout Outbox) {
        guard previous != nil, current.isConnected else { return }
        previous = nil
        outbox.events.append(.restarted)
    }
}

extension Generation {
    mutating func keepOnly(_ component: Component, _ components: ClosedRange<UInt16>, into outbox: inout Outbox) {
        let gone = Set(pairs.filter { $0.path.component != component }.map(\.id))
        triggered.removeAll(where: gone.contains)
        pairs.removeAll { gone.contains($0.id) }
        remotes.removeAll { $0.component != component }
        validated.removeAll { $0.component != component }
        selections.removeAll { $0.path.component != component }
        guard !isConnected, isSettled(components) else { return }
        isConnected = true
        outbox.events.append(.connected)
    }
}
