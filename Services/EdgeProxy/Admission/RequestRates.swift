import Deadlines

/// In the order in which they are served when not all can be.
enum RequestClass: Int, Sendable, CaseIterable {
    /// With a route we signed.
    case inDialog
    /// ACK and CANCEL without one: they end work rather than begin it, but anybody can make them.
    case ending
    /// RFC 5031 `urn:service:sos`, and the emergency numbers.
    case emergency
    case invite
    /// A REGISTER from where this account was seen before.
    case refresh
    case registration
    case other
}

/// Token buckets of strangers and of those who have shown a password: per source, network, account and customer.
///
/// Knowledge that was earned stands in tables of its own, where only who authenticates gets a place: a flood of forged sources
/// pushes out nothing but other strangers.
struct RequestRates: ~Copyable {
    struct Limits: Sendable {
        var registration = TokenRate(perSecond: 50, burst: 500)
        var invite = TokenRate(perSecond: 20, burst: 100)
        var other = TokenRate(perSecond: 50, burst: 200)
        var emergency = TokenRate(perSecond: 2, burst: 20)
        /// How many times the rates of a source its network may use; zero: no limit.
        var networkFactor = 8
        /// How many times the rates of a stranger a known source may use.
        var knownFactor = 20
        /// Requests with credentials for one account from addresses it was never seen at.
        var account = TokenRate(perSecond: 5, burst: 30)
        var customer = TokenRate(perSecond: 500, burst: 2_000)
        /// How long a source stays known after its last success.
        var knownFor = Interval.seconds(7_200)
        /// Sources remembered per loop; the other tables follow from it.
        var sources = 65_536
    }

    private struct Buckets: Sendable {
        var registration = TokenBucket()
        var invite = TokenBucket()
        var other = TokenBucket()
        var emergency = TokenBucket()

        mutating func take(_ kind: RequestClass, _ rates: Rates, _ now: Instant) -> Bool {
            switch kind {
            case .inDialog: true
            case .emergency: emergency.take(rates.emergency, now: now)
            case .invite: invite.take(rates.invite, now: now)
            case .refresh, .registration: registration.take(rates.registration, now: now)
            case .other, .ending: other.take(rates.other, now: now)
            }
        }
    }

    private struct Rates {
        let registration: TokenRate
        let invite: TokenRate
        let other: TokenRate
        let emergency: TokenRate

        init(_ limits: Limits, times factor: Int) {
            registration = limits.registration.times(factor)
            invite = limits.invite.times(factor)
            other = limits.other.times(factor)
            emergency = limits.emergency.times(factor)
        }
    }

    private struct Known: Sendable {
        var until = Instant(nanoseconds: 0)
        var buckets = Buckets()
    }

    private let limits: Limits
    private let strangerRates: Rates
    private let knownRates: Rates
    private let networkRates: Rates
    private var strangers: StalestTable<Buckets>
    private var networks: StalestTable<Buckets>
    private var known: StalestTable<Known>
    /// An account together with a source it authenticated from: until when that counts.
    private var homes: StalestTable<Instant>
    private var accounts: StalestTable<TokenBucket>
    private var customers: StalestTable<TokenBucket>

    init(_ limits: Limits) {
        self.limits = limits
        strangerRates = Rates(limits, times: 1)
        knownRates = Rates(limits, times: max(1, limits.knownFactor))
        networkRates = Rates(limits, times: limits.networkFactor)
        strangers = StalestTable(capacity: limits.sources, empty: Buckets())
        networks = StalestTable(capacity: limits.sources / 4, empty: Buckets())
        known = StalestTable(capacity: limits.sources, empty: Known())
        homes = StalestTable(capacity: limits.sources * 2, empty: Instant(nanoseconds: 0))
        accounts = StalestTable(capacity: limits.sources, empty: TokenBucket())
        customers = StalestTable(capacity: limits.sources / 4, empty: TokenBucket())
    }

    /// Before anything is known but addresses: nil when the request may go on.
    mutating func refuse(_ kind: RequestClass, from source: Source, now: Instant) -> AdmissionReason? {
        guard kind != .inDialog else { return nil }
        let rates = knownRates
        let admitted = known.updateKnown(source.key, now: now) { entry -> Bool? in
            entry.until > now ? entry.buckets.take(kind, rates, now) : nil
        }
        if let admitted = admitted ?? nil { return admitted ? nil : .sourceRate }
        guard strangers.update(source.key, now: now, { $0.take(kind, strangerRates, now) }) else { return .sourceRate }
        // Emergencies have their own bucket per source only: a neighbour's must not use them up.
        guard kind != .emergency else { return nil }
        return networks.update(source.network, now: now, { $0.take(kind, networkRates, now) }) ? nil : .networkRate
    }

    /// A request with credentials for an account. Where its owner was seen before, what strangers do to it does not count.
    mutating func refuse(account: UInt64, from source: Source, now: Instant) -> AdmissionReason? {
        if isHome(account, source, now) { return nil }
        let rate = limits.account
        return accounts.update(account, now: now, { $0.take(rate, now: now) }) ? nil : .accountRate
    }

    func isHome(_ account: UInt64, _ source: Source, _ now: Instant) -> Bool {
        homes.find(Self.pair(account, source)).map { $0 > now } ?? false
    }

    func isKnown(_ source: Source, _ now: Instant) -> Bool { known.find(source.key).map { $0.until > now } ?? false }

    /// An authentic request: its source is known from now on, and gets back what the request and its challenge took, and as
    /// much again, so that an office or a whole town after a power cut is not held up by its number.
    mutating func authenticated(account: UInt64, from source: Source, now: Instant) {
        let until = now + limits.knownFor
        let registration = knownRates.registration
        known.update(source.key, now: now) {
            $0.until = until
            $0.buckets.registration.refund(4, registration)
        }
        homes.update(Self.pair(account, source), now: now) { $0 = until }
    }

    /// The source is known to another loop.
    mutating func vouched(for source: Source, now: Instant) {
        let until = now + limits.knownFor
        known.update(source.key, now: now) { $0.until = max($0.until, until) }
    }

    /// An authentic request that begins something; refused ones get no 503, since nothing is overloaded.
    mutating func refuse(customer: UInt64, now: Instant) -> AdmissionReason? {
        let rate = limits.customer
        return customers.update(customer, now: now, { $0.take(rate, now: now) }) ? nil : .customerRate
    }

    private static func pair(_ account: UInt64, _ source: Source) -> UInt64 {
        account ^ (source.key << 31 | source.key >> 33)
    }
}
