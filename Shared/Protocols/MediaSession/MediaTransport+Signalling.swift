public import Addresses
public import DTLS
public import Deadlines
public import ICE
public import SRTP

// What descriptions say: the agent whose checks find the path, the keys or the handshake, where to send.
extension MediaTransport {
    /// The agent for a description of ours that speaks ICE.
    public mutating func use(_ agent: ICE.Agent) { self.agent = agent }

    public mutating func withAgent<Result>(_ body: (inout ICE.Agent, inout ICE.Outbox) -> Result) -> Result? {
        guard var own = agent else { return nil }
        defer { agent = own }
        return body(&own, &checks)
    }

    /// The other side wants none (its description has no ICE).
    public mutating func dropAgent() { agent = nil }

    /// Keys that signalling agreed on (RFC 4568). Those of a direction stay as they are where nil is given.
    public mutating func key(sending: MasterKey?, receiving: MasterKey?) {
        if terms != nil {
            keys = nil
            masters.forget()
        }
        forgetHandshakes()
        isProtected = true
        if keys == nil {
            guard let sending, let receiving else { return }
            let context = sendingContext(sending)
            masters.change(sending, receiving, begun: context.used)
            keys = Context(sending: context, receiving: ReceivingContext(receiving))
            return
        }
        if let sending {
            let context = sendingContext(sending)
            masters.change(sending, nil, begun: context.used)
            keys?.replace(sending: context)
        }
        if let receiving {
            keys?.replace(receiving: ReceivingContext(receiving))
            masters.change(nil, receiving)
        }
    }

    /// A key that comes back (an offer was forked, and the phone that answered first answers last) goes on where it was: no index is
    /// used twice (RELIABILITY V27).
    private mutating func sendingContext(_ key: MasterKey) -> SendingContext {
        leaveKey()
        sendingKey = key
        if let before = formerKeys.firstIndex(where: { $0.key == key }) {
            return SendingContext(key, after: formerKeys.remove(at: before).used)
        }
        return SendingContext(key)
    }

    mutating func leaveKey() {
        switch keys {
        case .some(let keys):
            guard let sendingKey else { break }
            if formerKeys.count >= Self.formerKeyLimit { formerKeys.removeFirst() }
            formerKeys.append(FormerKey(key: sendingKey, used: keys.used))
        case nil: break
        }
        sendingKey = nil
    }

    /// A handshake is to give the keys; a new one when the other side's certificate, name or role changed (RFC 8842 §3.1). While it is
    /// the same certificate, what has been agreed protects until there is better.
    public mutating func shake(
        _ endpoint: Endpoint, _ role: Handshake.Role, _ fingerprints: [DTLS.Fingerprint], limits: Handshake.Limits = Handshake.Limits()
    ) {
        if terms?.fingerprints != fingerprints {
            leaveKey()
            keys = nil
            masters.forget()
        }
        peer = nil
        (isProtected, isShaking) = (true, true)
        let agreed = Terms(endpoint: endpoint, role: role, fingerprints: fingerprints, limits: limits)
        terms = agreed
        handshake = agreed.handshake
        successor = nil
        isResumed = false
    }

    /// From now on packets are as they are: only checks remain.
    public mutating func unprotect() {
        leaveKey()
        keys = nil
        masters.forget()
        forgetHandshakes()
        isProtected = false
    }

    private mutating func forgetHandshakes() {
        isResumed = false
        handshake = nil
        successor = nil
        terms = nil
        isShaking = false
    }

    /// Where they said they are.
    public mutating func aim(at address: SocketAddress?) {
        if agent == nil, signalled != address { peer = nil }
        signalled = address
    }

    /// After signalling: what can begin begins.
    public mutating func begin(now: Instant) {
        drainChecks(now: now)
        startHandshake(to: agent == nil ? signalled : path, now: now)
    }

    /// The active side begins when it knows where to; for the passive one, time runs from the first record of the other: it may come as
    /// late as somebody takes to answer.
    mutating func startHandshake(to address: SocketAddress?, now: Instant) {
        guard terms?.role == .active, isShaking, let address else { return }
        peer = peer ?? address
        if let outcome = handshake?.start(now: now, into: &records) { take(outcome) }
        drainRecords()
    }

    /// The leg ends.
    public mutating func close() {
        handshake?.close(into: &records)
        drainRecords()
    }
}
