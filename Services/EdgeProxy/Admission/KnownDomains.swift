import Deadlines

/// Which domains are somebody's here. Requests for one that has not been heard of wait until the Registrar was asked, and get
/// silence when nobody has it: a scanner learns nothing, not even that somebody is there.
///
/// Domains that exist stand in a table of their own, so that invented ones push out only each other.
struct KnownDomains: ~Copyable {
    enum Answer: Sendable, Hashable {
        case known, unknown
        /// The Registrar has been asked, or is about to be: see `questions`.
        case asked
        /// Too many invented names are about; this one is not even asked for.
        case doubtful
    }

    struct Limits: Sendable {
        var capacity = 16_384
        var remembered = Interval.seconds(300)
        /// After this an unknown domain is asked for again.
        var unknownFor = Interval.seconds(30)
        /// A question without an answer is asked again.
        var patience = Interval.seconds(4)
        /// New names a second: what the Registrar is asked at most.
        var questions = TokenRate(perSecond: 50, burst: 100)
    }

    private struct Absence: Sendable {
        var until = Instant(nanoseconds: 0)
        var isAsked = false
    }

    private let limits: Limits
    private var present: StalestTable<Instant>
    private var absent: StalestTable<Absence>
    private var budget = TokenBucket()
    /// What the Registrar is to be asked next; bounded by the rate of questions.
    private(set) var questions: [String] = []

    init(_ limits: Limits) {
        self.limits = limits
        present = StalestTable(capacity: limits.capacity, empty: Instant(nanoseconds: 0))
        absent = StalestTable(capacity: limits.capacity, empty: Absence())
    }

    /// `key` is a keyed hash of the name.
    mutating func find(_ name: String, key: UInt64, now: Instant) -> Answer {
        let isPresent = present.find(key)
        if let until = isPresent, now < until { return .known }
        if let absence = absent.find(key), now < absence.until {
            // Whoever was known goes on being served while the Registrar is asked again.
            return isPresent != nil ? .known : absence.isAsked ? .asked : .unknown
        }
        guard budget.take(limits.questions, now: now) else { return isPresent != nil ? .known : .doubtful }
        absent.update(key, now: now) { [limits] in $0 = Absence(until: now + limits.patience, isAsked: true) }
        questions.append(name)
        return isPresent != nil ? .known : .asked
    }

    mutating func takeQuestions() -> [String] {
        defer { questions = [] }
        return questions
    }

    /// What the Registrar said; nil when it could not be asked: then nobody is turned away for it.
    mutating func learn(_ key: UInt64, isKnown: Bool?, now: Instant) {
        if isKnown == false {
            present.remove(key)
            absent.update(key, now: now) { [limits] in $0 = Absence(until: now + limits.unknownFor) }
        } else {
            absent.remove(key)
            let length = isKnown == true ? limits.remembered : limits.patience
            present.update(key, now: now) { $0 = now + length }
        }
    }

    /// A domain was added or removed: what is remembered of it no longer holds.
    mutating func forget(_ key: UInt64) {
        present.remove(key)
        absent.remove(key)
    }
}
