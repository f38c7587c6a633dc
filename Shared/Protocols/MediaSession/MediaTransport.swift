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
        /// The other side does not answer any more (RFC 7675 §5.1).
        case consentLost
        /// No path was found, or no keys.
        case failed(String)
    }

    private struct Terms {
        let endpoint: Endpoint
        let role: Handshake.Role
        let fingerprints: [DTLS.Fingerprint]
        let limits: Handshake.Limits

        var handshake: Handshake { Handshake(endpoint, role: role, fingerprints: fingerprints, limits: limits) }
    }

    /// What ICE calls the port.
    public let base: SocketAddress
    public private(set) var agent: ICE.Agent?
    private var handshake: Handshake?
    /// What another attempt is made of.
    private var terms: Terms?
    private var keys: Context?
    /// Checks alone leave packets as they are.
    private var isProtected = false
    /// Where the description says they are, when there is no ICE.
    private var signalled: SocketAddress?
    /// Where records of DTLS go.
    private var peer: SocketAddress?
    private var checks = ICE.Outbox()
    private var records = DTLS.Outbox()
    /// To be sent, and emptied, by the caller after each call.
    public private(set) var outgoing: [Datagram] = []
    public private(set) var events: [Event] = []

    public init(base: SocketAddress) { self.base = base }

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
    public func isOnPath(_ source: SocketAddress) -> Bool { agent?.isValidated(source, on: base) ?? false }

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
        handshake = nil
        terms = nil
        isProtected = true
        if keys == nil {
            guard let sending, let receiving else { return }
            keys = Context(sending: sending, receiving: receiving)
            return
        }
        if let sending { keys?.replace(sending: SendingContext(sending)) }
        if let receiving { keys?.replace(receiving: ReceivingContext(receiving)) }
    }

    /// A handshake is to give the keys; a new one when the other side's certificate or name changed (RFC 8842 §4).
    public mutating func shake(
        _ endpoint: Endpoint, _ role: Handshake.Role, _ fingerprints: [DTLS.Fingerprint], limits: Handshake.Limits = Handshake.Limits()
    ) {
        keys = nil
        peer = nil
        isProtected = true
        let agreed = Terms(endpoint: endpoint, role: role, fingerprints: fingerprints, limits: limits)
        terms = agreed
        handshake = agreed.handshake
    }

    /// From now on packets are as they are: only checks remain.
    public mutating func unprotect() {
        keys = nil
        handshake = nil
        terms = nil
        isProtected = false
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
        guard terms?.role == .active, keys == nil, let address else { return }
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
            agent?.receive(datagram.span.extracting(0..<count), from: source, on: base, now: now, into: &checks)
            drainChecks(now: now)
            return .consumed
        case .dtls:
            guard handshake != nil else { return .dropped(.foreign) }
            guard isBelievable(source), agent != nil || peer == nil || source == peer || source == signalled else {
                return .dropped(.stranger)
            }
            peer = source
            if let outcome = handshake?.start(now: now, into: &records) { take(outcome) }
            if let outcome = handshake?.receive(datagram.span.extracting(0..<count), now: now, into: &records) { take(outcome) }
            drainRecords()
            return .consumed
        case .rtp, .rtcp:
            guard agent == nil || isBelievable(source) else { return .dropped(.stranger) }
            return unprotect(&datagram, count: count, isControl: kind == .rtcp)
        case .zrtp, .turnChannel, .unknown: return .dropped(.foreign)
        }
    }

    /// V4: from a path that checks have validated; without ICE from the host that the description names.
    private func isBelievable(_ source: SocketAddress) -> Bool {
        guard let agent else { return source.address == signalled?.address }
        return agent.isValidated(source, on: base)
    }

    private mutating func unprotect(_ packet: inout MutableSpan<UInt8>, count: Int, isControl: Bool) -> Received {
        guard keys != nil else {
            guard isProtected else { return isControl ? .control(count) : .sound(count) }
            return .dropped(.unkeyed)
        }
        do throws(SRTP.Failure) {
            if isControl { return .control(try keys?.unprotectControl(&packet, count: count) ?? 0) }
            return .sound(try keys?.unprotect(&packet, count: count) ?? 0)
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
        switch handshake {
        case .some(let handshake): handshake.deadline
        case nil: nil
        }
    }

    public mutating func expire(now: Instant) {
        if let deadline = agent?.deadline, deadline <= now {
            agent?.expire(now: now, into: &checks)
            drainChecks(now: now)
        }
        guard let deadline = handshakeDeadline, deadline <= now else { return }
        if let outcome = handshake?.expire(now: now, into: &records) { take(outcome) }
        drainRecords()
    }

    // MARK: Effects

    private mutating func drainChecks(now: Instant) {
        for datagram in checks.datagrams { outgoing.append(Datagram(bytes: datagram.bytes, to: datagram.to)) }
        let happened = checks.events
        checks.removeAll()
        for event in happened {
            switch event {
            case .selected(let path) where path.component == .rtp:
                peer = path.remote
                events.append(.path(path.remote))
                startHandshake(to: path.remote, now: now)
            case .consentLost(let path) where path.component == .rtp: events.append(.consentLost)
            case .failed: events.append(.failed("no path was found"))
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
        case .established(let keying): keys = Context(sending: keying.sending, receiving: keying.receiving)
        case .failed(let failure):
            events.append(.failed("the handshake gave no keys: \(failure)"))
            // Whoever it was, the phone may still come (RELIABILITY V4).
            handshake = terms?.handshake
        case .closed: break
        }
    }
}
