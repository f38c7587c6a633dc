import Deadlines
import SIP

/// Dialogs of calls that ended a moment ago: who means to join one is told that it has come too late, and not that there never was one
/// (RFC 3911 §4). Bounded in time and number; forgotten with the process, which then says 481.
struct EndedDialogs {
    private struct Ended {
        let dialogs: [Dialog]
        let customer: String
        let until: Instant
    }

    /// As long as a transaction of theirs may last (RFC 3261 §17.1.1.2).
    private static let lifetime = Interval.seconds(32)
    private static let most = 2_000

    private var ended: [String: Ended] = [:]
    /// Call-IDs, the oldest first.
    private var order: [String] = []

    mutating func note(_ leg: Leg, at now: Instant) {
        for dialog in [leg.sip.dialog].compactMap(\.self) + (leg.sip.early ?? []).map(\.dialog) {
            note(dialog, of: leg.record.customerID, at: now)
        }
    }

    mutating func note(_ dialog: Dialog, of customer: String, at now: Instant) {
        let known = ended[dialog.callID]?.dialogs ?? []
        if known.isEmpty { order.append(dialog.callID) }
        ended[dialog.callID] = Ended(dialogs: known + [dialog], customer: customer, until: now + Self.lifetime)
        var gone = 0
        while gone < order.count, order.count - gone > Self.most || ended[order[gone]].map({ $0.until <= now }) != false {
            ended[order[gone]] = nil
            gone += 1
        }
        order.removeFirst(gone)
    }

    func include(_ named: DialogReference, of customer: String, at now: Instant) -> Bool {
        guard let found = ended[named.callID], found.customer == customer, found.until > now else { return false }
        return found.dialogs.contains { named.names($0) }
    }
}
