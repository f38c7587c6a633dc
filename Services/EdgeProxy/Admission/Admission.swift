import Addresses
import Cryptography
import Deadlines

/// The door of one loop: what strangers' requests must pass before anything is allocated or asked for them (RELIABILITY V13,
/// V16, V17, O1-O7).
///
/// Order of use: `isBanned` (on the bare datagram), after parsing `isScanner` and `refuse`, with credentials
/// `refuse(account:)`, after they were checked `authenticated` or `committed`, and before an INVITE goes in `refuse` with its call.
struct Admission: ~Copyable {
    let settings: AdmissionSettings
    let emergencies: EmergencyNumbers
    private let hash: KeyedHash
    private let scanners: ScannerSigns
    private var rates: RequestRates
    private var bans: BanList
    private var overload: OverloadControl
    private var invites: AdmittedInvites
    private var lag: LoopLag
    private var answers = TokenBucket()
    var domains: KnownDomains
    private var connections: ConnectionCount
    /// This edge is about to go: who asks whether it is there is told so.
    var isDraining = false

    /// `seed` is random; `connections` is how many the loop accepts from all.
    init(_ settings: AdmissionSettings, seed: (UInt64, UInt64), connections: Int) {
        self.settings = settings
        hash = KeyedHash(key: seed.0, seed.1)
        scanners = ScannerSigns(settings.scanners)
        emergencies = EmergencyNumbers(settings.emergencyNumbers)
        rates = RequestRates(settings.rates)
        bans = BanList(settings.bans)
        overload = OverloadControl(settings.overload)
        invites = AdmittedInvites(capacity: settings.calls)
        lag = LoopLag(settings.overload)
        domains = KnownDomains(settings.domains)
        self.connections = ConnectionCount(
            limit: settings.connectionsPerSource, knownFactor: settings.rates.knownFactor, total: connections)
    }

    // MARK: Names

    func source(_ address: IPAddress) -> Source { Source(address, hash, exempt: settings.exempt) }
    func account(_ user: some StringProtocol, _ domain: some StringProtocol) -> UInt64 { hash.hash(user: user, domain: domain) }
    func name(_ bytes: Span<UInt8>) -> UInt64 { hash.hash(bytes) }
    func name(_ server: SocketAddress) -> UInt64 { hash.hash(server.address.high ^ UInt64(server.port) << 48, server.address.low) }
    func name(_ text: some StringProtocol) -> UInt64 { hash.hash(user: "", domain: text) }
    /// Of a transaction of that source: what another sends under the same branch is something else.
    func name(_ transaction: SipHash.Code, of source: Source) -> UInt64 { hash.hash(transaction.low ^ source.key, transaction.high) }

    // MARK: Before anything is known but the address

    /// While nobody is banned, nothing is computed.
    func isBanned(_ address: IPAddress, now: Instant) -> Bool {
        bans.areInForce(now: now) && bans.isBanned(source(address), now: now)
    }

    func isScanner(_ agent: Span<UInt8>, _ source: Source) -> Bool { !source.isExempt && scanners.matches(agent) }

    /// Whether the loop is so late that `refuse` looks at the key.
    var isLate: Bool { lag.pressure > 0 }

    /// A request outside a dialog, or inside one; nil: it may go on. `key` is of its Call-ID.
    mutating func refuse(_ kind: RequestClass, from source: Source, key: UInt64, now: Instant) -> AdmissionReason? {
        guard lag.admits(kind, key: key) else { return .overload }
        return source.isExempt ? nil : rates.refuse(kind, from: source, now: now)
    }

    func hasInvites(now: Instant) -> Bool { !invites.isEmpty(now: now) }

    /// Whether this INVITE has gone to a server before: it is repeated until it is answered, which costs nothing and is judged by
    /// nothing.
    mutating func isRepeated(invite: UInt64, now: Instant) -> Bool { invites.isRepeated(invite, now: now) }

    /// A request with credentials for this account, before they are looked at.
    mutating func refuse(account: UInt64, from source: Source, now: Instant) -> AdmissionReason? {
        source.isExempt ? nil : rates.refuse(account: account, from: source, now: now)
    }

    /// Whether a REGISTER is a refresh: the account was here before.
    func isHome(_ account: UInt64, _ source: Source, now: Instant) -> Bool { rates.isHome(account, source, now) }

    /// Whether the source has shown that its address is its own, or needs not to.
    func isTrusted(_ source: Source, now: Instant) -> Bool { source.isExempt || rates.isKnown(source, now) }

    // MARK: Answers

    /// A flood is not worth an answer to each: strangers share a budget of refusals.
    mutating func mayTell(_ source: Source, now: Instant) -> Bool {
        isTrusted(source, now: now) || answers.take(settings.refusals, now: now)
    }

    /// The longest answer to a datagram of that length (RELIABILITY V17); nil: as long as it likes.
    func longestAnswer(to length: Int, from source: Source, now: Instant) -> Int? {
        isTrusted(source, now: now) ? nil : settings.amplification.longestAnswer(to: length)
    }

    // MARK: Connections

    mutating func open(_ source: Source, now: Instant) -> AdmissionReason? {
        if bans.isBanned(source, now: now) { return .banned }
        return connections.open(source, isKnown: rates.isKnown(source, now), now: now) ? nil : .connections
    }

    /// Of each connection that `open` admitted.
    mutating func close(_ source: Source, now: Instant) { connections.close(source, now: now) }

    // MARK: What became of it

    /// Whether the source was a stranger until now: then the other loops are to be told.
    @discardableResult
    mutating func authenticated(account: UInt64, from source: Source, now: Instant) -> Bool {
        guard !source.isExempt else { return false }
        let wasKnown = rates.isKnown(source, now)
        rates.authenticated(account: account, from: source, now: now)
        return !wasKnown
    }

    /// Another loop says so.
    mutating func vouched(for block: IPAddress, now: Instant) {
        let source = source(block)
        if !source.isExempt { rates.vouched(for: source, now: now) }
    }

    /// The ban that follows, if one does: it holds here already, and the other loops and edges are to be told.
    mutating func committed(_ offence: Offence, by source: Source, _ evidence: Evidence, now: Instant) -> Ban? {
        bans.committed(offence, by: source, evidence, isKnown: rates.isKnown(source, now), now: now)
    }

    mutating func adopt(_ ban: Ban, now: Instant) { bans.adopt(ban, source(ban.block), now: now) }

    // MARK: Overload

    /// Whether a request has waited here for so long that its sender has given up, or is about to.
    func isStale(since arrived: Instant, now: Instant) -> Bool { now - arrived > settings.stale }

    /// An INVITE that is about to go to a server.
    struct Call {
        /// Keyed hash of the transaction and its source.
        let transaction: UInt64
        /// Keyed hash of the Call-ID, by which the response is known again.
        let callID: UInt64
        let server: UInt64
        /// Who is authenticated, if anybody.
        let customer: UInt64?
        let isEmergency: Bool
    }

    /// Nil: it may go. What is let in is let in whenever it is repeated, and takes no further token of its customer's.
    mutating func refuse(_ call: Call, now: Instant) -> AdmissionReason? {
        guard !invites.contains(call.transaction, now: now) else { return nil }
        if !call.isEmergency {
            if let customer = call.customer, let reason = rates.refuse(customer: customer, now: now) { return reason }
            guard overload.admit(server: call.server, call: call.callID, now: now) else { return .overload }
        }
        invites.admitted(call.transaction, now: now)
        return nil
    }

    mutating func answered(call: UInt64, now: Instant) { overload.answered(call: call, now: now) }

    mutating func measured(lag: Interval, now: Instant) { self.lag.measured(lag, now: now) }

    /// For a gauge: the greatest share of new calls refused now.
    var shed: Double { max(overload.shed, lag.pressure) }
}
