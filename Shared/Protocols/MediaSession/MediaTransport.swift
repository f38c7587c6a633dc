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

    struct Terms {
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
    static let formerKeyLimit = 8

    // The first of these is also what tells that there is no transport: together they are the head that plain sessions look at.
    /// To be sent, and emptied, by the caller after each call.
    public internal(set) var outgoing: [Datagram] = []
    public internal(set) var events: [Event] = []
    private let pinned = Pinned()
    /// What ICE calls the port.
    public let base: SocketAddress
    /// The port of the other family that checks may come to as well.
    let second: SocketAddress?
    public internal(set) var agent: ICE.Agent?
    var handshake: Handshake?
    /// The peer of an established association shakes hands anew; that one goes on until this one has keys.
    var successor: Handshake?
    /// What another attempt is made of.
    var terms: Terms?
    var keys: Context?
    /// What the keys were made of, for a successor, and how often those of each direction have changed.
    var masters = Masters()
    /// Under what we send, where signalling gave it.
    var sendingKey: MasterKey?
    var formerKeys: [FormerKey] = []
    /// When a packet with the right tag came over the path in use.
    var authenticAt: Instant?
    var isShaking = false
    /// Checks alone leave packets as they are.
    var isProtected = false
    /// Where the description says they are, when there is no ICE.
    var signalled: SocketAddress?
    /// Where records of DTLS go.
    var peer: SocketAddress?
    /// The keys are those of a predecessor's handshake.
    var isResumed = false
    var checks = ICE.Outbox()
    var records = DTLS.Outbox()

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
            guard handshake != nil || isResumed else { return .dropped(.foreign) }
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
            (isResumed, isShaking) = (keys != nil, keys == nil)
            // Its memory is made when somebody wants one: hundreds of legs go on at once.
            if isShaking { handshake = agreed.handshake }
        }
        if isShaking { startHandshake(to: agent == nil ? signalled : path, now: now) }
    }

    // MARK: Effects

    mutating func drainChecks(now: Instant) {
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

    mutating func drainRecords() {
        guard let peer, !records.datagrams.isEmpty else { return }
        for bytes in records.datagrams { outgoing.append(Datagram(bytes: bytes, to: peer)) }
        records.datagrams.removeAll(keepingCapacity: true)
    }

    mutating func take(_ outcome: Handshake.Outcome) {
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
