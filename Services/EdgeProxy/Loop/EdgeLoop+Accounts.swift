import SIP

/// Credentials come over the bus; the request waits for them here, in a table with a bound, and goes on where it was read.
extension EdgeLoop {
    func authenticate(_ pending: PendingAuthentication) {
        if case .known(let account, let isRecent) = accounts.find(pending.key, now: loop.now),
            isRecent || core.isAuthentic(pending, account)
        {
            return resume(pending, account)
        }
        guard parkedCount < settings.parkedRequests else { return Traffic.count(.parkingFull) }
        parkedCount += 1
        Traffic.parked.add(1)
        let isAsked = parked[pending.key] != nil
        parked[pending.key, default: []].append(pending)
        guard !isAsked else { return }
        findAccount(pending.key) { [weak self] outcome in
            guard let self else { return }
            self.loop.post { self.assumeIsolated { $0.answered(pending.key, outcome) } }
        }
    }

    private func answered(_ key: AccountCache.Key, _ outcome: FindAccount.Outcome) {
        let waiting = parked.removeValue(forKey: key) ?? []
        parkedCount -= waiting.count
        Traffic.parked.add(-waiting.count)
        switch outcome {
        case .found(let account):
            accounts.store(account, for: key, now: loop.now)
            for pending in waiting { resume(pending, account) }
        case .absent:
            accounts.store(nil, for: key, now: loop.now)
            for pending in waiting { resume(pending, nil) }
        case .unavailable:
            for pending in waiting {
                perform(core.unavailable(pending.message.view, pending.arrival), pending.message, pending.arrival)
            }
        }
    }

    private func resume(_ pending: PendingAuthentication, _ account: Account?) {
        let decision = core.resume(pending, account, &placement)
        perform(decision, pending.message, pending.arrival)
    }

    /// An extension changed: what is remembered of it no longer holds. Nil: anything may have changed.
    func invalidate(_ key: AccountCache.Key?) {
        if let key { accounts.invalidate(key) } else { accounts.removeAll() }
    }
}
