public import Deadlines

/// A DTLS 1.2 handshake for SRTP keys (RFC 5764, RFC 6347), without socket and clock: datagrams and instants in, datagrams and keys out.
///
/// Only datagrams from where the peer has proved to be may be given to it (RELIABILITY V4). Whatever they say cannot end it: an attempt
/// that fails makes room for the next, without an alert, until its time is over. No key is given before the peer's certificate has the
/// fingerprint of its SDP (V5). When it is established it lives on for the repetitions of a last flight that was lost, and close_notify.
public struct Handshake: ~Copyable {
    /// `a=setup` (RFC 4145 §4): who sends the ClientHello.
    public enum Role: Sendable { case active, passive }

    public enum Failure: Error, Hashable, Sendable {
        /// The time is over; what the last attempt failed for, if there was one.
        case timedOut(reason: String?)
        /// The peer is not who its SDP says.
        case wrongFingerprint
        /// No common protection profile.
        case noProfile
    }

    public enum Outcome: Hashable, Sendable {
        case none
        case established(Keying)
        /// It is over: no keys, now or later.
        case failed(Failure)
        /// The peer has ended what was established.
        case closed
    }

    public struct Limits: Hashable, Sendable {
        /// Until a flight is repeated for the first time; doubled each time. RFC 6347 §4.2.4.1 allows less than a second for such uses.
        public var repetition: Interval
        public var longestRepetition: Interval
        /// For all attempts together.
        public var duration: Interval
        /// How long an attempt stands still before another ClientHello takes its place.
        public var standstill: Interval
        /// How long the active side follows a HelloVerifyRequest that leads nowhere: anybody could have sent it.
        public var cookiePatience: Interval
        /// The same of any other answer. Longer: a peer that has all it wants, and whose last flight is lost on and on, does not begin anew.
        public var patience: Interval
        /// What a datagram carries at most.
        public var datagramLength: Int

        public init(
            repetition: Interval = .milliseconds(200), longestRepetition: Interval = .seconds(3), duration: Interval = .seconds(30),
            standstill: Interval = .seconds(1), cookiePatience: Interval = .seconds(5),
            patience: Interval = .seconds(10), datagramLength: Int = 1200
        ) {
            precondition(datagramLength >= 256 && repetition > .zero, "datagrams hold a handshake, and time goes on")
            (self.repetition, self.longestRepetition) = (repetition, longestRepetition)
            (self.duration, self.standstill) = (duration, standstill)
            (self.cookiePatience, self.patience) = (cookiePatience, patience)
            self.datagramLength = datagramLength
        }
    }

    public struct Counts: Hashable, Sendable {
        /// No whole records of DTLS.
        public var malformed = 0
        /// Alerts without protection: anybody could have sent them.
        public var alerts = 0
        /// Before the start, after the end, or for another attempt than the one under way.
        public var ignored = 0
        public var failedAttempts = 0
        public var repetitions = 0

        public init() {}
    }

    private enum State { case idle, shaking, unverified, established, ended }

    public let role: Role
    public private(set) var counts = Counts()
    private let endpoint: Endpoint
    private let limits: Limits
    private var fingerprints: [Fingerprint]
    private var session: Session
    private var state = State.idle
    private var interval: Interval
    private var repetition: Instant?
    private var end = Instant.distantFuture
    private var reason: String?
    /// Whose ClientHello the passive side follows; how long the active side follows what has answered it.
    private var clientRandom: [UInt8]?
    private var patience: Interval?
    /// When the attempt went on last.
    private var progress = Instant(nanoseconds: 0)

    /// The fingerprints may be none yet: when the peer's answer is still on its way, the keys wait for `expect`.
    public init(_ endpoint: Endpoint, role: Role, fingerprints: [Fingerprint] = [], limits: Limits = Limits()) {
        (self.endpoint, self.role, self.fingerprints, self.limits) = (endpoint, role, fingerprints, limits)
        session = Session(endpoint, isClient: role == .active, mtu: limits.datagramLength)
        interval = limits.repetition
    }

    public var isEstablished: Bool { state == .established }

    /// When `expire` wants to be called.
    public var deadline: Instant? {
        guard state == .shaking else { return nil }
        return repetition.map { min($0, end) } ?? end
    }

    /// Whether a datagram begins a handshake: on one that is established, the peer wants another, for which there is another value.
    public static func isClientHello(_ datagram: Span<UInt8>) -> Bool { Record.clientRandom(datagram) != nil }

    /// The same, and another one than led to what is (or was) established here: repetitions of that do not count.
    public func isBegunAnew(by datagram: Span<UInt8>) -> Bool {
        guard state == .established || state == .ended, let random = Record.clientRandom(datagram) else { return false }
        return random != clientRandom
    }

    // MARK: Events

    /// The active side speaks, the passive one listens.
    public mutating func start(now: Instant, into outbox: inout Outbox) -> Outcome {
        guard state == .idle else { return .none }
        (state, end, progress) = (.shaking, now + limits.duration, now)
        return role == .active ? shakeHands(Span(), now: now, into: &outbox) : .none
    }

    /// A datagram of the peer.
    public mutating func receive(_ datagram: Span<UInt8>, now: Instant, into outbox: inout Outbox) -> Outcome {
        guard state != .idle, state != .ended else {
            counts.ignored += 1
            return .none
        }
        switch Record.judge(datagram) {
        case .malformed:
            counts.malformed += 1
            return .none
        case .alert:
            counts.alerts += 1
            return .none
        case .taken: break
        }
        guard state == .shaking else { return read(datagram, into: &outbox) }
        // What is for an attempt that has failed does not hasten the next one.
        guard role == .passive ? follow(datagram, now: now) : session.isBegun else {
            counts.ignored += 1
            return .none
        }
        if role == .active { patience = Record.isVerifyRequest(datagram) ? limits.cookiePatience : limits.patience }
        return shakeHands(datagram, now: now, into: &outbox)
    }

    /// The client may have begun anew (RFC 6347 §4.2.8). While its attempt goes on, a ClientHello from elsewhere cannot end it.
    private mutating func follow(_ datagram: Span<UInt8>, now: Instant) -> Bool {
        guard let random = Record.clientRandom(datagram), random != clientRandom else { return true }
        if clientRandom != nil {
            guard !session.isBegun || now - progress >= limits.standstill else { return false }
            _ = retry("the peer began anew", now: now)
        }
        (clientRandom, progress) = (random, now)
        return true
    }

    /// The instant of `deadline` has come.
    public mutating func expire(now: Instant, into outbox: inout Outbox) -> Outcome {
        guard state == .shaking else { return .none }
        guard now < end else {
            state = .ended
            return .failed(.timedOut(reason: reason))
        }
        guard let repetition, now >= repetition else { return .none }
        interval = min(interval * 2, limits.longestRepetition)
        if let patience, now - progress >= patience { _ = retry("an answer led nowhere", now: now) }
        self.repetition = now + interval
        guard session.isBegun else {
            progress = now
            return shakeHands(Span(), now: now, into: &outbox)
        }
        counts.repetitions += 1
        guard session.repeatFlight() else { return retry("no answer", now: now) }
        session.take(into: &outbox)
        noteTimer(now: now)
        return .none
    }

    /// What the peer's SDP says of its certificate; the keys, when they have been waiting for that.
    public mutating func expect(_ fingerprints: [Fingerprint]) -> Outcome {
        self.fingerprints = fingerprints
        return state == .unverified ? verify() : .none
    }

    /// Says goodbye, when there is somebody to say it to.
    public mutating func close(into outbox: inout Outbox) {
        if state == .established || state == .unverified {
            session.close()
            session.take(into: &outbox)
        }
        state = .ended
    }

    // MARK: Progress

    private mutating func shakeHands(_ datagram: Span<UInt8>, now: Instant, into outbox: inout Outbox) -> Outcome {
        switch session.shakeHands(datagram) {
        case .waiting:
            session.take(into: &outbox)
            noteTimer(now: now)
            return .none
        case .complete:
            session.take(into: &outbox)
            (state, repetition) = (.unverified, nil)
            return fingerprints.isEmpty ? .none : verify()
        case .closed: return retry("closed by the peer", now: now)
        case .failed(let text): return retry(text, now: now)
        }
    }

    private mutating func read(_ datagram: Span<UInt8>, into outbox: inout Outbox) -> Outcome {
        let progress = session.read(datagram)
        session.take(into: &outbox)
        switch progress {
        case .waiting, .complete: return .none
        case .closed, .failed:
            state = .ended
            return .closed
        }
    }

    private mutating func verify() -> Outcome {
        state = .ended
        guard session.isPeer(fingerprints) else { return .failed(.wrongFingerprint) }
        guard let keying = session.keying() else { return .failed(.noProfile) }
        state = .established
        return .established(keying)
    }

    /// The next attempt. The active side waits for its turn, so that nothing it is sent makes it send at once; and for so long that its peer
    /// takes the last attempt to stand still, and does not repeat a flight of it just then, which would lead the next one astray.
    private mutating func retry(_ text: String, now: Instant) -> Outcome {
        (counts.failedAttempts, reason, clientRandom, patience) = (counts.failedAttempts + 1, text, nil, nil)
        session = Session(endpoint, isClient: role == .active, mtu: limits.datagramLength)
        repetition = role == .active ? now + limits.standstill + limits.repetition : nil
        interval = limits.repetition
        return .none
    }

    private mutating func noteTimer(now: Instant) {
        switch session.takeTimerChange() {
        case .none: break
        case .stopped: (interval, repetition, progress) = (limits.repetition, nil, now)
        case .restarted: (interval, repetition, progress) = (limits.repetition, now + limits.repetition, now)
        case .started: repetition = now + interval
        }
    }
}
