internal import Deadlines

/// Makes one press of what is told of a key in several ways: as an event, as a tone, in a message (RFC 4733 §1, RFC 6086 §1).
///
/// Each way tells each press once, so a second telling by the same way is a second press; one by another way belongs to the earliest
/// press of that key which that way has not told yet.
struct DigitMerge {
    enum Means: UInt8 {
        case event = 1, tone = 2, message = 4
    }

    private struct Press {
        var code: UInt8
        var means: UInt8
        /// When it was last heard of.
        var at: Instant
    }

    /// A message takes the way through signalling, and some phones send it when the key comes up.
    private static let patience = Interval.seconds(1)
    private var presses = InlineArray<8, Press?>(repeating: nil)
    private var next = 0

    /// False when it is a press that is known already.
    mutating func isNew(_ code: UInt8, by means: Means, now: Instant) -> Bool {
        for offset in presses.indices {
            // From the oldest on.
            let index = (next + offset) % presses.count
            guard let press = presses[index], press.code == code, press.means & means.rawValue == 0 else { continue }
            guard now - press.at <= Self.patience else { continue }
            presses[index]?.means |= means.rawValue
            return false
        }
        presses[next] = Press(code: code, means: means.rawValue, at: now)
        next = (next + 1) % presses.count
        return true
    }

    /// The key is still down.
    mutating func goesOn(_ code: UInt8, now: Instant) {
        for offset in 1...presses.count {
            let index = (next + presses.count - offset) % presses.count
            guard presses[index]?.code == code else { continue }
            presses[index]?.at = now
            return
        }
    }
}
