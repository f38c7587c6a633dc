internal import Addresses
internal import Deadlines
internal import STUN

/// What lies between two restarts (RFC 8445 §9): credentials of both sides, their candidates, the checklist, the paths in use.
struct Generation: Sendable {
    /// A check that came before their description: who made it cannot be known yet.
    struct EarlyCheck: Sendable {
        let path: Path
        let priority: UInt32
        var nominates: Bool
        let remoteFragment: [UInt8]
    }

    let local: Credentials
    /// Our part of USERNAME, with the colon.
    let localName: [UInt8]
    let localKey: [UInt8]
    private(set) var remote: Credentials?
    private(set) var remoteName: [UInt8] = []
    private(set) var remoteKey: [UInt8] = []
    /// USERNAME of what we send.
    private(set) var outgoingName: [UInt8] = []

    var remotes: [Candidate] = []
    /// No more of them will come (RFC 8838 §8.2).
    var isComplete = false
    var early: [EarlyCheck] = []
    /// Where something authentic came from, or a check of ours was answered.
    var validated: [Path] = []

    var pairs: [Pair] = []
    var nextPairID = 0
    /// Pairs to check before all others, in that order (§6.1.4.1).
    var triggered: [Int] = []
    var nextCheckAt = Instant(nanoseconds: 0)
    /// When checks began: a full agent's with their description, a lite one's with the first of theirs, which may wait for an
    /// answer of ours that is sent much later.
    var startedAt: Instant?
    var firstValidAt: Instant?
    var hasFailed = false
    /// How often our role changed because they said so.
    var conflicts = 0
    /// Replaced by a restart: it answers and goes on with what it has.
    var isClosing = false
    var selections: [Selection] = []
    /// Told once.
    var isConnected = false

    init(local: Credentials) {
        self.local = local
        (localName, localKey) = (Array(local.fragment.utf8) + [UInt8(ascii: ":")], Array(local.password.utf8))
    }

    mutating func setRemote(_ credentials: Credentials) {
        remote = credentials
        (remoteName, remoteKey) = (Array(credentials.fragment.utf8), Array(credentials.password.utf8))
        outgoingName = remoteName + [UInt8(ascii: ":")] + Array(local.fragment.utf8)
    }

    // MARK: Lookups

    func selection(_ component: Component) -> Selection? { selections.first { $0.path.component == component } }

    func isSelected(_ path: Path) -> Bool { selections.contains { $0.path == path } }

    func pairIndex(_ path: Path) -> Int? { pairs.firstIndex { $0.path == path } }

    func isSettled(_ components: ClosedRange<UInt16>) -> Bool {
        components.allSatisfy { number in selections.contains { $0.path.component.rawValue == number } }
    }

    // MARK: What is believed

    /// The oldest that is not in use makes room.
    mutating func believe(_ path: Path, _ core: inout Core) {
        guard !validated.contains(path) else { return }
        if validated.count >= max(core.configuration.maximumValidatedPaths, 2) {
            core.counts.overflowed += 1
            guard let oldest = validated.firstIndex(where: { !isSelected($0) }) else { return }
            validated.remove(at: oldest)
        }
        validated.append(path)
    }

    mutating func heard(_ path: Path, now: Instant) {
        if let index = pairIndex(path) { pairs[index].heardAt = now }
        if let index = selections.firstIndex(where: { $0.path == path }) { selections[index].heardAt = now }
    }

    /// RFC 7675 §5.1, from the side that is asked: whoever checks a path wants what is sent there.
    mutating func consented(_ path: Path, at instant: Instant, _ core: Core) {
        guard core.mode == .lite, let index = selections.firstIndex(where: { $0.path == path }) else { return }
        selections[index].consented(at: instant, lifetime: core.configuration.consentLifetime)
    }

    // MARK: Time

    /// The distant future when there is nothing to wait for.
    func deadline(_ core: Core) -> Instant {
        var earliest = Instant.distantFuture
        for selection in selections { earliest = min(earliest, selection.deadline) }
        if remote != nil {
            if hasWaitingCheck { earliest = min(earliest, nextCheckAt) }
            for pair in pairs { if let check = pair.check { earliest = min(earliest, check.deadline) } }
            if !isSettled(core.components) {
                if let nomination = nominationDeadline(core) { earliest = min(earliest, nomination) }
                if let startedAt, !hasFailed, !hasOpenPair { earliest = min(earliest, startedAt + core.configuration.patience) }
            }
        }
        return earliest
    }

    /// Something is still to be learned that matters.
    private var hasOpenPair: Bool { pairs.contains { $0.isOpen && !hasSelection($0.path.component) } }

    mutating func expire(now: Instant, _ core: inout Core, into outbox: inout Outbox) {
        expireSelections(now: now, &core, into: &outbox)
        guard remote != nil else { return }
        expireChecks(now: now, &core, into: &outbox)
        nominate(now: now, core)
        if hasWaitingCheck, nextCheckAt <= now { sendNextCheck(now: now, &core, into: &outbox) }
        guard let startedAt, !hasFailed, !isSettled(core.components), now >= startedAt + core.configuration.patience, !hasOpenPair else {
            return
        }
        hasFailed = true
        outbox.events.append(.failed)
    }

    func hasSelection(_ component: Component) -> Bool { selection(component) != nil }
}
