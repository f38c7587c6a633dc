internal import Addresses
internal import Deadlines
internal import STUN

// What a connectivity check of theirs does (RFC 8445 §7.3).
extension Generation {
    /// Whether USERNAME begins with our fragment.
    func isAddressed(by message: Message, _ datagram: Span<UInt8>) -> Bool {
        guard let name = message.range(.username), name.count > localName.count else { return false }
        return equals(datagram.extracting(name.lowerBound..<name.lowerBound + localName.count), localName)
    }

    /// The rest of USERNAME is their fragment, once that is known: another one is of another call that an offer was forked to.
    private func isFromRemote(_ message: Message, _ datagram: Span<UInt8>) -> Bool {
        guard remote != nil, let name = message.range(.username) else { return true }
        return equals(datagram.extracting(name.lowerBound + localName.count..<name.upperBound), remoteName)
    }

    private func equals(_ bytes: Span<UInt8>, _ other: [UInt8]) -> Bool {
        guard bytes.count == other.count else { return false }
        for index in bytes.indices where bytes[index] != other[index] { return false }
        return true
    }

    /// A request whose USERNAME is ours. Before its code is checked nothing changes but a counter.
    mutating func receive(
        request message: Message, _ datagram: Span<UInt8>, over path: Path, now: Instant, _ core: inout Core,
        into outbox: inout Outbox
    ) {
        guard message.isAuthentic(datagram, key: localKey), isFromRemote(message, datagram) else {
            return core.refuse(message.contains(.messageIntegrity) ? 401 : 400, message, datagram, over: path, now: now, into: &outbox)
        }
        let transaction = message.transaction(in: datagram)
        guard !message.hasUnknownRequired else {
            return refuse(transaction, 420, unknown: message.unknownRequired(), over: path, &core, into: &outbox)
        }
        guard let check = Received(message, datagram) else {
            return refuse(transaction, 400, over: path, &core, into: &outbox)
        }
        guard core.admits(controlling: check.controlling, controlled: check.controlled, into: &outbox) else {
            return refuse(transaction, 487, over: path, &core, into: &outbox)
        }
        var answer = MessageWriter(.success, transaction: transaction)
        answer.mappedAddress(path.remote)
        outbox.send(answer.sealed(key: localKey), from: path.base, to: path.remote)
        core.counts.answered += 1
        if remote == nil {
            keep(check, path, message.range(.username).map { name in
                (name.lowerBound + localName.count..<name.upperBound).map { datagram[$0] }
            } ?? [], &core)
        } else {
            learn(path, priority: check.priority, nominates: check.nominates, now: now, &core, into: &outbox)
        }
    }

    private func refuse(
        _ transaction: TransactionID, _ code: Int, unknown: [UInt16] = [], over path: Path, _ core: inout Core, into outbox: inout Outbox
    ) {
        var answer = MessageWriter(.failure, transaction: transaction)
        answer.errorCode(code)
        if !unknown.isEmpty { answer.unknownAttributes(unknown) }
        outbox.send(answer.sealed(key: localKey), from: path.base, to: path.remote)
        core.counts.refused += 1
    }

    /// What an authentic check says.
    private struct Received {
        let priority: UInt32
        let controlling: UInt64?
        let controlled: UInt64?
        let nominates: Bool

        /// Nil without a priority, or when a number has not its length.
        init?(_ message: Message, _ bytes: Span<UInt8>) {
            do throws(ParseError) {
                guard let priority = try message.priority(in: bytes) else { return nil }
                self.priority = min(max(priority, Candidate.priorities.lowerBound), Candidate.priorities.upperBound)
                controlling = try message.tieBreaker(.iceControlling, in: bytes)
                controlled = try message.tieBreaker(.iceControlled, in: bytes)
            } catch {
                return nil
            }
            nominates = message.contains(.useCandidate)
        }
    }

    // MARK: Before their description

    /// Answered, and remembered until it is known whether the one who made it is the one who answers our offer (§7.3.1.3).
    private mutating func keep(_ check: Received, _ path: Path, _ fragment: [UInt8], _ core: inout Core) {
        if let index = early.firstIndex(where: { $0.path == path && $0.remoteFragment == fragment }) {
            early[index].nominates = early[index].nominates || check.nominates
        } else if early.count < core.configuration.maximumEarlyChecks {
            early.append(EarlyCheck(path: path, priority: check.priority, nominates: check.nominates, remoteFragment: fragment))
        } else {
            core.counts.overflowed += 1
        }
    }

    mutating func learnEarly(now: Instant, _ core: inout Core, into outbox: inout Outbox) {
        let checks = early.filter { $0.remoteFragment == remoteName && core.components.contains($0.path.component.rawValue) }
        early = []
        for check in checks {
            learn(check.path, priority: check.priority, nominates: check.nominates, now: now, &core, into: &outbox)
        }
    }

    // MARK: What an authentic check makes known

    private mutating func learn(
        _ path: Path, priority: UInt32, nominates: Bool, now: Instant, _ core: inout Core, into outbox: inout Outbox
    ) {
        believe(path, &core)
        heard(path, now: now)
        guard core.mode == .full else {
            startedAt = startedAt ?? now
            consented(path, at: now, core)
            // The last one counts: who controls has a reason to change.
            if nominates { select(path, priority: 0, checkPriority: priority, now: now, &core, into: &outbox) }
            return
        }
        guard !isClosing, let candidate = discover(path, priority: priority, &core),
            let local = core.locals.first(where: { $0.base == path.base }), let index = insert(local, candidate, now: now, &core)
        else { return }
        pairs[index].heardAt = now
        // What is settled is settled, for who controls.
        if core.role == .controlling, hasSelection(path.component) { return }
        let isAsked = nominates && core.role == .controlled
        if pairs[index].state == .succeeded {
            if isAsked { selectNominated(index, now: now, &core, into: &outbox) }
        } else {
            if isAsked { pairs[index].isAwaited = true }
            trigger(index, first: false)
        }
    }

    /// Into the queue of checks that go before all others (§7.3.1.4).
    mutating func trigger(_ index: Int, first: Bool) {
        pairs[index].trigger()
        let id = pairs[index].id
        if first {
            triggered.removeAll { $0 == id }
            triggered.insert(id, at: 0)
        } else if !triggered.contains(id) {
            triggered.append(id)
        }
    }
}

extension Core {
    /// An answer to who may be anybody: never longer than 1.5 times what it answers, and not too many of them (RELIABILITY V17).
    mutating func refuse(
        _ code: Int, _ message: Message, _ datagram: Span<UInt8>, over path: Path, now: Instant, into outbox: inout Outbox
    ) {
        counts.unauthentic += 1
        guard mayRefuse(now: now) else { return }
        counts.refused += 1
        var answer = MessageWriter(.failure, transaction: message.transaction(in: datagram))
        answer.errorCode(code)
        outbox.send(message.hasFingerprint ? answer.fingerprinted() : answer.finish(), from: path.base, to: path.remote)
    }
}
