internal import Addresses
internal import Deadlines
internal import STUN

/// What all generations of an agent share.
struct Core: Sendable {
    struct Local: Hashable, Sendable, Codable {
        let candidate: Candidate
        let base: SocketAddress
    }

    let configuration: Configuration
    let mode: Mode
    var role: Role
    var remoteIsLite = false
    /// RFC 8445 §16.1.
    var tieBreaker: UInt64
    var transactions: TransactionSource
    var locals: [Local] = []
    var componentCount: UInt16
    var counts = Counters()
    private var refusalsSince = Instant(nanoseconds: 0)
    private var refusals = 0

    init(_ configuration: Configuration, mode: Mode, role: Role, components: UInt16, random: (UInt64, UInt64)) {
        (self.configuration, self.mode, self.role) = (configuration, mode, role)
        componentCount = min(max(components, 1), 2)
        transactions = TransactionSource(random: random)
        tieBreaker = transactions.number()
    }

    var components: ClosedRange<UInt16> { 1...componentCount }

    func component(of base: SocketAddress) -> Component? { locals.first { $0.base == base }?.candidate.component }

    /// RFC 8445 §7.2.5.1: with another role comes another tie-breaker.
    mutating func switchRole(to role: Role, into outbox: inout Outbox) {
        guard self.role != role else { return }
        self.role = role
        tieBreaker = transactions.number()
        outbox.events.append(.roleChanged(role))
    }

    /// How an authentic request's role fits ours (§7.3.1.1); false when it has to be told (487).
    mutating func admits(controlling: UInt64?, controlled: UInt64?, into outbox: inout Outbox) -> Bool {
        switch (role, controlling, controlled) {
        case (.controlling, let theirs?, _):
            counts.roleConflicts += 1
            // A lite agent leaves it to the full one.
            if mode == .full, tieBreaker >= theirs { return false }
            becomes(.controlled, into: &outbox)
        case (.controlled, _, let theirs?):
            counts.roleConflicts += 1
            if mode == .lite || tieBreaker < theirs { return false }
            becomes(.controlling, into: &outbox)
        default: break
        }
        return true
    }

    private mutating func becomes(_ role: Role, into outbox: inout Outbox) {
        self.role = role
        outbox.events.append(.roleChanged(role))
    }

    /// Whether a stranger is answered at all.
    mutating func mayRefuse(now: Instant) -> Bool {
        if now - refusalsSince >= .seconds(1) { (refusalsSince, refusals) = (now, 0) }
        refusals += 1
        return refusals <= configuration.refusalsPerSecond
    }

    /// A factor of 0.8 to 1.2 (RFC 7675 §5.1).
    mutating func consentInterval() -> Interval {
        let tenths = configuration.consentInterval.nanoseconds / 10
        let spread = UInt64(clamping: 4 * max(tenths, 0)) &+ 1
        return Interval(nanoseconds: 8 * tenths &+ Int64(clamping: transactions.number() % spread))
    }
}
