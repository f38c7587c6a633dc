internal import Addresses
internal import Deadlines
internal import STUN

/// A candidate pair (RFC 8445 §6.1.2): a base of ours and an address of theirs.
struct Pair: Sendable {
    enum State: Sendable { case frozen, waiting, inProgress, succeeded, failed }

    let id: Int
    let path: Path
    let foundation: String
    let localPriority: UInt32
    let remotePriority: UInt32
    /// What a check says in PRIORITY.
    let checkPriority: UInt32
    var state: State
    /// A check of it was answered well, and none failed since.
    var isValid = false
    /// They asked for it before it was valid (§7.3.1.5).
    var isAwaited = false
    /// The next check asks for it (§8.1.1).
    var nominates = false
    var check: Check?
    /// Not sent again, but its answer still counts (§7.3.1.4).
    var cancelled: Check?
    /// When something authentic last came over it.
    var heardAt: Instant?
    /// How they see us.
    var mappedAddress: SocketAddress?

    /// §6.1.2.3: 2^32*MIN(G,D) + 2*MAX(G,D) + (G>D ? 1 : 0).
    func priority(_ role: Role) -> UInt64 {
        let (controlling, controlled) = role == .controlling ? (localPriority, remotePriority) : (remotePriority, localPriority)
        let (least, most) = (UInt64(min(controlling, controlled)), UInt64(max(controlling, controlled)))
        return least << 32 &+ most &* 2 &+ (controlling > controlled ? 1 : 0)
    }

    /// Something is still to be learned about it.
    var isOpen: Bool { state == .frozen || state == .waiting || state == .inProgress }

    func check(of transaction: TransactionID) -> Check? {
        if let check, check.transaction == transaction { return check }
        return cancelled.flatMap { $0.transaction == transaction ? $0 : nil }
    }

    /// To be checked as soon as may be; what is under way is not waited for (§7.3.1.4).
    mutating func trigger() {
        if let check { cancelled = check }
        (check, state) = (nil, .waiting)
    }
}
