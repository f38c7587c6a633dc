public import Addresses
public import DTLS
public import Deadlines
public import ICE
public import SRTP

/// What lies between the port of a leg and its packets (RFC 7983): checks of ICE, a handshake, keys. A plain leg has none.
///
/// Nothing that comes changes anything before it has proved where it is from: checks by their code, records of DTLS and packets by
/// the path that checks have validated, packets by their tag (RELIABILITY V1-V5).
public struct MediaTransport: ~Copyable {
    /// A datagram of the transport's own.
    public struct Datagram: Sendable {
        public let bytes: [UInt8]
        public let to: SocketAddress
    }

    /// What became of a datagram that came.
    public enum Received: Hashable, Sendable {
        /// A packet of RTP in the first bytes, so many, unprotected.
        case sound(Int)
        case control(Int)
        /// It was the transport's own.
        case consumed
        case dropped(Reason)
    }

    public enum Reason: Hashable, Sendable {
        /// From where nobody has proved to be.
        case stranger
        /// Nothing that belongs on such a port.
        case foreign
        /// Before there were keys.
        case unkeyed
        case unauthentic, replayed, malformed
    }

    /// What the leg is told.
    public enum Event: Hashable, Sendable {
        /// Media goes there from now on.
        case path(SocketAddress)
        /// The other side does not ask or answer any more (RFC 7675 §5.1).
        case consentLost
        case failed(TransportFailure)
    }

    private struct Terms {
        let endpoint: Endpoint
        let role: Handshake.Role
        let fingerprints: [DTLS.Fingerprint]
        let limits: Handshake.Limits

        var handshake: Handshake { Handshake(endpoint, role: role, fingerprints: fingerprints, limits: limits) }
    }

    /// A key that another took the place of, and what it has protected.
    struct FormerKey {
        let key: MasterKey
        let used: Reservation
    }

    /// More than one offer of ours has lines; keys of earlier offers do not come back.
    private static let formerKeyLimit = 8

    // The first of these is also what tells that there is no transport: together they are the head that plain sessions look at.
    /// To be sent, and emptied, by the caller after each call.
    public private(set) var outgoing: [Datagram] = []
    public private(set) var events: [Event] = []
    private let pinned = Pinned()
    /// What ICE calls the port.
    public let base: SocketAddress
    /// The port of the other family that checks may come to as well.
    private let second: SocketAddress?
    public private(set) var agent: ICE.Agent?
    private var handshake: Handshake?
    /// The peer of an established association shakes hands anew; that one goes on until this one has keys.
    private var successor: Handshake?
    /// What another attempt is made of.
    private var terms: Terms?
    private var keys: Context?
    /// What the keys were made of, for a successor, and how often those of each direction have changed.
    private var masters = Masters()
    /// Under what we send, where signalling gave it.
    private var sendingKey: MasterKey?
    private var formerKeys: [FormerKey] = []
    /// When a packet with the right tag came over the path in use.
    private var authenticAt: Instant?
    private var isShaking = false
    /// Checks alone leave packets as they are.
    private var isProtected = false
    /// Where the description says they are, when there is no ICE.
    private var signalled: SocketAddress?
    /// Where records of DTLS go.
    private var peer: SocketAddress?
    /// The keys are those of a predecessor's handshake.
    private var isResumed = false
    private var checks = ICE.Outbox()
    private var records = DTLS.Outbox()

    public init(base: SocketAddress, second: SocketAddress? = nil) { (self.base, self.second) = (base, second) }

    /// The one of our ports that an address is reached from.
    public func base(facing peer: SocketAddress) -> SocketAddress {
        guard let second, second.address.isIPv4 == peer.address.isIPv4, base.address.isIPv4 != peer.address.isIPv4 else { return base }
        return second
    }

    public var hasChecks: Bool { agent != nil }
    public var isKeyed: Bool { keys != nil }
    /// Whether packets can pass.
    public var isReady: Bool { keys != nil || !isProtected }
    public var suite: Suite? {
        switch keys {
        case .some(let keys): keys.suite
        case nil: nil
        }
    }

    /// Where media goes; nil while checks have found no path.
    public var path: SocketAddress? { agent?.path()?.remote }

    /// Whether checks have validated the way from there.
    public func isOnPath(_ source: SocketAddress) -> Bool { agent?.isValidated(source, on: base(facing: source)) ?? false }

    public var hasOutgoing: Bool { !outgoing.isEmpty || !events.isEmpty }

    public mutating func takeOutgoing() -> [Datagram] {
        defer { outgoing.removeAll(keepingCapacity: true) }
        return outgoing
    }

    public mutating func takeEvents() -> [Event] {
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    // MARK: Signalling

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

    private mutating func leaveKey() {
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
    private mutating func startHandshake(to address: SocketAddress?, now: Instant) {
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

    // MARK: Datagrams

    /// What came to the port: a packet is unprotected where it lies.
    public mutating func receive(
        _ datagram: inout MutableSpan<UInt8>, count: Int, from source: SocketAddress, now: Instant
    ) -> Received {
        let kind = Multiplexed(datagram.span.extracting(0..<count))
        switch kind {
        case .stun:
            guard agent != nil else { return .dropped(.foreign) }
            let port = base(facing: source)
            agent?.receive(datagram.span.extracting(0..<count), from: source, on: port, now: now, into: &checks)
            drainChecks(now: now)
            return .consumed
        case .dtls:
            guard handshake != nil else { return .dropped(.foreign) }
            // The association went with our predecessor: only another one can begin, and nothing else is answered.
            if isResumed, successor == nil {
                guard terms?.role == .passive, Handshake.isClientHello(datagram.span.extracting(0..<count)) else { return .dropped(.foreign) }
            }
            guard isBelievable(source), agent != nil || peer == nil || source == peer || source == signalled else {
                return .dropped(.stranger)
            }
            peer = source
            receive(records: datagram.span.extracting(0..<count), now: now)
            return .consumed
        case .rtp, .rtcp:
            guard agent == nil || isBelievable(source) else { return .dropped(.stranger) }
            return unprotect(&datagram, count: count, isControl: kind == .rtcp, from: source, now: now)
        case .zrtp, .turnChannel, .unknown: return .dropped(.foreign)
        }
    }

    private mutating func receive(records datagram: Span<UInt8>, now: Instant) {
        if !isShaking, isResumed ? successor == nil : beginsAnew(datagram) { successor = terms?.handshake }
        if successor != nil {
            if let outcome = successor?.start(now: now, into: &records) { takeSuccessor(outcome) }
            if let outcome = successor?.receive(datagram, now: now, into: &records) { takeSuccessor(outcome) }
        } else {
            if let outcome = handshake?.start(now: now, into: &records) { take(outcome) }
            if let outcome = handshake?.receive(datagram, now: now, into: &records) { take(outcome) }
        }
        drainRecords()
    }

    /// Whether the client of an established association wants another, with no word of it in signalling (RFC 8842 §3.1): it has lost its
    /// own, or is another device behind one certificate.
    private func beginsAnew(_ datagram: Span<UInt8>) -> Bool {
        guard successor == nil, terms?.role == .passive else { return false }
        switch handshake {
        case .some(let handshake): return handshake.isBegunAnew(by: datagram)
        case nil: return false
        }
    }

    /// V4: from a path that checks have validated; without ICE from the host that the description names.
    private func isBelievable(_ source: SocketAddress) -> Bool {
        guard let agent else { return source.address == signalled?.address }
        return agent.isValidated(source, on: base(facing: source))
    }

    private mutating func unprotect(
        _ packet: inout MutableSpan<UInt8>, count: Int, isControl: Bool, from source: SocketAddress, now: Instant
    ) -> Received {
        guard keys != nil else {
            guard isProtected else { return isControl ? .control(count) : .sound(count) }
            return .dropped(.unkeyed)
        }
        do throws(SRTP.Failure) {
            let length = try isControl ? keys?.unprotectControl(&packet, count: count) : keys?.unprotect(&packet, count: count)
            if agent != nil, source == peer { authenticAt = now }
            return isControl ? .control(length ?? 0) : .sound(length ?? 0)
        } catch {
            switch error {
            case .replayed: return .dropped(.replayed)
            case .malformed: return .dropped(.malformed)
            default: return .dropped(.unauthentic)
            }
        }
    }

    /// The new length; nil while there is no key, or no room in the numbers of this one.
    public mutating func protect(_ packet: inout MutableSpan<UInt8>, count: Int) -> Int? {
        guard keys != nil else { return isProtected ? nil : count }
        return try? keys?.protect(&packet, count: count)
    }

    public mutating func protectControl(_ packet: inout MutableSpan<UInt8>, count: Int) -> Int? {
        guard keys != nil else { return isProtected ? nil : count }
        return try? keys?.protectControl(&packet, count: count)
    }

    /// More than any suite makes a packet longer by: a tag, and the index of a control packet.
    public static let overhead = 32

    // MARK: Time

    public var deadline: Instant? {
        guard let check = agent?.deadline else { return handshakeDeadline }
        return min(check, handshakeDeadline ?? check)
    }

    private var handshakeDeadline: Instant? {
        let next: Instant?
        switch successor {
        case .some(let successor): next = successor.deadline
        case nil: next = nil
        }
        switch handshake {
        case .some(let handshake):
            guard let own = handshake.deadline else { return next }
            return min(own, next ?? own)
        case nil: return next
        }
    }

    public mutating func expire(now: Instant) {
        if let deadline = agent?.deadline, deadline <= now {
            if let authenticAt { agent?.consented(at: authenticAt) }
            agent?.expire(now: now, into: &checks)
            drainChecks(now: now)
        }
        guard let deadline = handshakeDeadline, deadline <= now else { return }
        if let outcome = handshake?.expire(now: now, into: &records) { take(outcome) }
        if let outcome = successor?.expire(now: now, into: &records) { takeSuccessor(outcome) }
        drainRecords()
    }

    // MARK: Survival

    /// What a successor needs besides the position of the keys.
    public mutating func makeRecord() -> Record {
        Record(
            base: base, agent: agent?.snapshot, isProtected: isProtected, signalled: signalled, peer: peer, masters: masters,
            isSignalled: sendingKey != nil, formerKeys: formerKeys.map { Record.FormerKey(key: Masters.Key($0.key), used: $0.used) })
    }

    /// Where the keys stand; false while there are none.
    @discardableResult
    public mutating func write(_ position: inout KeyPosition) -> Bool {
        (position.sendingKey, position.receivingKey) = (masters.sendingKey, masters.receivingKey)
        guard keys != nil else { return false }
        keys?.write(&position.sources)
        return true
    }

    /// Goes on where a predecessor was. `handshake`: what another attempt of the other side is answered with; we begin none while there
    /// are keys, and never say goodbye for the one that is lost (RELIABILITY §4.5).
    public init(
        resuming record: Record, _ position: KeyPosition?, second: SocketAddress? = nil, handshake terms: (Endpoint, Handshake.Role, [DTLS.Fingerprint])?,
        limits: Handshake.Limits = Handshake.Limits(), random: (UInt64, UInt64), now: Instant
    ) {
        (base, self.second) = (record.base, second)
        agent = record.agent.map { ICE.Agent(restoring: $0, random: random, now: now) }
        (isProtected, signalled, peer, masters) = (record.isProtected, record.signalled, record.peer, record.masters)
        keys = masters.context(position)
        if record.isSignalled { sendingKey = masters.sendingMaster }
        formerKeys = record.formerKeys.compactMap { former in former.key.master.map { FormerKey(key: $0, used: former.used) } }
        if keys == nil { masters.forget() }
        if let terms {
            let agreed = Terms(endpoint: terms.0, role: terms.1, fingerprints: terms.2, limits: limits)
            self.terms = agreed
            handshake = agreed.handshake
            (isResumed, isShaking) = (keys != nil, keys == nil)
        }
        if isShaking { startHandshake(to: agent == nil ? signalled : path, now: now) }
    }

    // MARK: Effects

    private mutating func drainChecks(now: Instant) {
        for datagram in checks.datagrams { outgoing.append(Datagram(bytes: datagram.bytes, to: datagram.to)) }
        let happened = checks.events
        checks.removeAll()
        for event in happened {
            switch event {
            case .selected(let path) where path.component == .rtp:
                (peer, authenticAt) = (path.remote, nil)
                events.append(.path(path.remote))
                startHandshake(to: path.remote, now: now)
            case .consentLost(let path) where path.component == .rtp: events.append(.consentLost)
            case .failed: events.append(.failed(.noPath))
            case .selected, .consentLost, .connected, .restarted, .roleChanged: break
            }
        }
    }

    private mutating func drainRecords() {
        guard let peer, !records.datagrams.isEmpty else { return }
        for bytes in records.datagrams { outgoing.append(Datagram(bytes: bytes, to: peer)) }
        records.datagrams.removeAll(keepingCapacity: true)
    }

    private mutating func take(_ outcome: Handshake.Outcome) {
        switch outcome {
        case .none: break
        case .established(let keying): use(keying)
        case .failed(let failure):
            events.append(.failed(TransportFailure(failure)))
            // Whoever it was, the phone may still come (RELIABILITY V4).
            handshake = terms?.handshake
        case .closed: break
        }
    }

    /// What comes of it in vain changes nothing for what is established.
    private mutating func takeSuccessor(_ outcome: Handshake.Outcome) {
        switch outcome {
        case .none: break
        case .established(let keying):
            handshake = successor.take()
            isResumed = false
            use(keying)
        case .failed, .closed: successor = nil
        }
    }

    private mutating func use(_ keying: Keying) {
        leaveKey()
        keys = Context(sending: keying.sending, receiving: keying.receiving)
        masters.change(keying.sending, keying.receiving)
        isShaking = false
    }
}
