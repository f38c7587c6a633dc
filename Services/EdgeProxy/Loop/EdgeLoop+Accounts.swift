import Deadlines
import SIP
import Threads

/// Credentials come over the bus; the request waits for them here, in a table with a bound, and goes on where it was read.
extension EdgeLoop {
    func authenticate(_ pending: PendingAuthentication) {
        let source = admission.source(pending.arrival.source.address)
        let name = admission.account(pending.key.user, pending.key.domain)
        if let reason = admission.refuse(account: name, from: source, now: loop.now) {
            return turnAway(reason, pending.message.view, pending.arrival)
        }
        if let trunk = core.trunk(of: pending) { return resume(pending, trunk) }
        if case .known(let account, let isRecent) = accounts.find(pending.key, now: loop.now) {
            let owner = core.owner(of: pending, account)
            if isRecent || owner != nil {
                Traffic.accountHits.add()
                return resume(pending, owner)
            }
        }
        Traffic.accountMisses.add()
        guard park(pending.message.bytes.count) else { return noPlace(for: pending.message.view, pending.arrival) }
        let isAsked = parked[pending.key] != nil
        parked[pending.key, default: []].append(pending)
        guard !isAsked else { return }
        let asked = loop.now
        findAccount(pending.key) { [weak self] outcome in
            guard let self else { return }
            self.loop.post { self.assumeIsolated { $0.answered(pending.key, outcome, asked: asked) } }
        }
    }

    private func answered(_ key: AccountCache.Key, _ outcome: FindAccount.Outcome, asked: Instant) {
        Traffic.lookups[Traffic.Lookup(outcome).rawValue].observe(nanoseconds: UInt64(max(0, (loop.now - asked).nanoseconds)))
        let waiting = parked.removeValue(forKey: key) ?? []
        for pending in waiting { unpark(pending.message.bytes.count) }
        switch outcome {
        case .found(let account):
            accounts.store(account, for: key, now: loop.now)
            for pending in waiting { resume(pending, core.owner(of: pending, account)) }
        case .lastKnown(let account):
            // A wrong password gets what a name gets that nobody remembers.
            for pending in waiting {
                if let owner = core.owner(of: pending, account) { resume(pending, owner) } else { refuseForNow(pending) }
            }
        case .absent:
            accounts.store(nil, for: key, now: loop.now)
            for pending in waiting { resume(pending, core.owner(of: pending, nil)) }
        case .unavailable:
            for pending in waiting { refuseForNow(pending) }
        }
    }

    /// A datagram comes again by itself; over a connection nothing does (RFC 3261 §17.1.1.2).
    func noPlace(for message: borrowing MessageView, _ arrival: Arrival) {
        Traffic.count(.parkingFull)
        if arrival.transport.isReliable { refuseForNow(message, arrival) }
    }

    /// False when there is no room for a message of that length.
    func park(_ length: Int) -> Bool {
        guard parking.enter(length) else { return false }
        Traffic.parked.add(1)
        Traffic.parkedBytes.add(length)
        return true
    }

    func unpark(_ length: Int) {
        parking.leave(length)
        Traffic.parked.add(-1)
        Traffic.parkedBytes.add(-length)
    }

    private func refuseForNow(_ pending: PendingAuthentication) { refuseForNow(pending.message.view, pending.arrival) }

    /// `owner` is who made the credentials, when we know.
    private func resume(_ pending: PendingAuthentication, _ owner: Originator?) {
        perform(judge(pending, owner), pending.message, pending.arrival)
    }

    private func judge(_ pending: PendingAuthentication, _ owner: Originator?) -> Decision {
        let source = admission.source(pending.arrival.source.address)
        guard owner != nil else {
            // The nonce was given to this address, and has come back from it: it is nobody else's offence, even in a datagram.
            committed(.wrongPassword, by: source, pending.arrival, isProven: true)
            return core.resume(pending, nil, &placement)
        }
        guard nonces.use(pending, now: loop.now) != .replayed else {
            Traffic.count(.replay)
            return core.challengeAgain(pending, now: WallClock.milliseconds())
        }
        let name = admission.account(pending.key.user, pending.key.domain)
        if admission.authenticated(account: name, from: source, now: loop.now) { bans.vouched(for: source.block) }
        guard !admission.isStale(since: pending.arrival.received, now: loop.now) else { return .turnAway(.stale) }
        return core.resume(pending, owner, &placement)
    }

    /// An extension changed: what is remembered of it no longer holds. Nil: anything may have changed.
    func invalidate(_ key: AccountCache.Key?) {
        if let key { accounts.invalidate(key) } else { accounts.removeAll() }
    }
}

extension Traffic.Lookup {
    init(_ outcome: FindAccount.Outcome) {
        switch outcome {
        case .found, .lastKnown: self = .found
        case .absent: self = .absent
        case .unavailable: self = .unavailable
        }
    }
}
