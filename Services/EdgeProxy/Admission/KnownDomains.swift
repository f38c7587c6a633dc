import Deadlines

/// Which domains are somebody's here. An unknown one is asked for once and its requests get silence, until the Registrar has
/// answered and after that if it has not the domain; a phone sends its datagram again, and a scanner learns nothing.
///
/// Domains that exist stand in a table of their own, so that invented ones push out only each other.
struct KnownDomains: ~Copyable {
    enum Answer: Sendable {
        case known, unknown
        /// Ask the Registrar, and tell `learn`; until then it counts as unknown.
        case ask
    }

    struct Limits: Sendable {
        var capacity = 16_384
        var remembered = Interval.seconds(300)
        /// After this an unknown domain is asked for again.
        var unknownFor = Interval.seconds(30)
        /// A question without an answer is asked again.
        var patience = Interval.seconds(2)
        /// New names a second: what the Registrar is asked at most.
        var questions = TokenRate(perSecond: 50, burst: 100)
    }

    private let limits: Limits
    private var present: StalestTable<Instant>
    private var absent: StalestTable<Instant>
    private var questions = TokenBucket()

    init(_ limits: Limits) {
        self.limits = limits
        present = StalestTable(capacity: limits.capacity, empty: Instant(nanoseconds: 0))
        absent = StalestTable(capacity: limits.capacity, empty: Instant(nanoseconds: 0))
    }

    mutating func find(_ domain: UInt64, now: Instant) -> Answer {
        let isPresent = present.find(domain)
        if let until = isPresent, now < until { return .known }
        // Whoever was known goes on being served while the Registrar is asked again.
        let meanwhile: Answer = isPresent == nil ? .unknown : .known
        if let until = absent.find(domain), now < until { return meanwhile }
        guard questions.take(limits.questions, now: now) else { return meanwhile }
        absent.update(domain, now: now) { [limits] in $0 = now + limits.patience }
        return .ask
    }

    /// What the Registrar said; nil when it could not be asked: then nobody is turned away for it.
    mutating func learn(_ domain: UInt64, isKnown: Bool?, now: Instant) {
        if isKnown == false {
            present.remove(domain)
            absent.update(domain, now: now) { [limits] in $0 = now + limits.unknownFor }
        } else {
            absent.remove(domain)
            let length = isKnown == true ? limits.remembered : limits.patience
            present.update(domain, now: now) { $0 = now + length }
        }
    }

    /// A domain was added or removed: what is remembered of it no longer holds.
    mutating func forget(_ domain: UInt64) {
        present.remove(domain)
        absent.remove(domain)
    }
}
