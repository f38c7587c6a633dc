internal import Deadlines
internal import STUN

/// A request on its way: sent again until it is answered or given up (RFC 8489 §6.2.1, RFC 8445 §14.3).
struct Check: Sendable {
    let transaction: TransactionID
    let bytes: [UInt8]
    let role: Role
    let nominates: Bool
    private let timeout: Interval
    private var sent = 1
    /// When it is sent again, or given up.
    private(set) var deadline: Instant

    init(_ transaction: TransactionID, _ bytes: [UInt8], role: Role, nominates: Bool, timeout: Interval, now: Instant) {
        (self.transaction, self.bytes, self.role, self.nominates, self.timeout) = (transaction, bytes, role, nominates, timeout)
        deadline = now + timeout
    }

    enum Action { case sendAgain, giveUp }

    mutating func expire(now: Instant, _ configuration: Configuration) -> Action {
        guard sent < configuration.requestCount else { return .giveUp }
        sent += 1
        deadline = now + (sent < configuration.requestCount ? timeout * (1 << min(sent - 1, 16)) : timeout * configuration.lastWait)
        return .sendAgain
    }
}
