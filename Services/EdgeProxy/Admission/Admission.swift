import Addresses
import Deadlines

/// The door of one loop: what strangers' requests must pass before anything is allocated or asked for them (RELIABILITY V13,
/// V16, V17, O1-O7).
///
/// Order of use: `source`, `isBanned` (on the bare datagram), after parsing `isScanner` and `refuse`, with credentials
/// `refuse(account:)`, after they were checked `authenticated` or `committed`, and before an INVITE goes in `refuseCall`.
struct Admission: ~Copyable {
    let settings: AdmissionSettings
    let emergencies: EmergencyNumbers
    private let hash: KeyedHash
    private let scanners: ScannerSigns
    private var rates: RequestRates
    private var bans: BanList
    private var overload: OverloadControl
    private var lag: LoopLag
    var domains: KnownDomains
    var connections: ConnectionCount

    /// `seed` is random; `connections` is how many the loop accepts from all.
    init(_ settings: AdmissionSettings, seed: (UInt64, UInt64), connections: Int) {
        self.settings = settings
        hash = KeyedHash(key: seed.0, seed.1)
        scanners = ScannerSigns(settings.scanners)
        emergencies = EmergencyNumbers(settings.emergencyNumbers)
        rates = RequestRates(settings.rates)
        bans = BanList(settings.bans)
        overload = OverloadControl(settings.overload)
        lag = LoopLag(settings.overload)
        domains = KnownDomains(settings.domains)
        self.connections = ConnectionCount(limit: settings.connectionsPerSource, total: connections)
    }

    // MARK: Names

    func source(_ address: IPAddress) -> Source { Source(address, hash, exempt: settings.exempt) }
    func account(_ user: some StringProtocol, _ domain: some StringProtocol) -> UInt64 { hash.hash(user: user, domain: domain) }
    func name(_ bytes: Span<UInt8>) -> UInt64 { hash.hash(bytes) }
    func name(_ text: some StringProtocol) -> UInt64 { hash.hash(user: "", domain: text) }

    // MARK: Before anything is known but the address

    func isBanned(_ source: Source, now: Instant) -> Bool { bans.isBanned(source, now: now) }

    func isScanner(_ agent: Span<UInt8>, _ source: Source) -> Bool { !source.isExempt && scanners.matches(agent) }

    /// A request outside a dialog, or inside one; nil: it may go on. `key` is of its Call-ID.
    mutating func refuse(_ kind: RequestClass, from source: Source, key: UInt64, now: Instant) -> AdmissionReason? {
        guard lag.admits(kind, key: key) else { return .overload }
        return source.isExempt ? nil : rates.refuse(kind, from: source, now: now)
    }

    /// A request with credentials for this account, before they are looked at.
    mutating func refuse(account: UInt64, from source: Source, now: Instant) -> AdmissionReason? {
        source.isExempt ? nil : rates.refuse(account: account, from: source, now: now)
    }

    /// Whether a REGISTER is a refresh: the account was here before.
    func isHome(_ account: UInt64, _ source: Source, now: Instant) -> Bool { rates.isHome(account, source, now) }

    // MARK: What became of it

    mutating func authenticated(account: UInt64, from source: Source, now: Instant) {
        if !source.isExempt { rates.authenticated(account: account, from: source, now: now) }
    }

    /// A new dialog of an authenticated customer.
    mutating func refuse(customer: UInt64, now: Instant) -> AdmissionReason? { rates.refuse(customer: customer, now: now) }

    /// The ban that follows, if one does: it holds here already, and the other loops and edges are to be told.
    mutating func committed(_ offence: Offence, by source: Source, _ evidence: Evidence, now: Instant) -> Ban? {
        bans.committed(offence, by: source, evidence, isKnown: rates.isKnown(source, now), now: now)
    }

    mutating func adopt(_ ban: Ban, now: Instant) { bans.adopt(ban, source(ban.block), now: now) }

    // MARK: Overload

    /// An INVITE that is about to go to a server and came in at `arrived`; nil: it may.
    mutating func refuseCall(
        to server: UInt64, branch: UInt64, call: UInt64, isEmergency: Bool, arrived: Instant, now: Instant
    ) -> AdmissionReason? {
        if now - arrived > settings.stale { return .stale }
        if isEmergency { return nil }
        return overload.admit(server: server, branch: branch, call: call, now: now) ? nil : .overload
    }

    mutating func answered(branch: UInt64, now: Instant) { overload.answered(branch: branch, now: now) }

    mutating func measured(lag: Interval, now: Instant) { self.lag.measured(lag, now: now) }

    /// For a gauge: the greatest share of new calls refused now.
    var shed: Double { max(overload.shed, lag.pressure) }
}
