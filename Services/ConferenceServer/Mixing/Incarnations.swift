import Contracts
import Deadlines

/// Since when each instance has been the process it is now: one that was killed and started anew has its predecessor's name,
/// but none of its calls.
struct Incarnations {
    /// Looks are a second apart, so what was first seen now may have begun this much earlier.
    static let blur = Interval.seconds(3)

    private var known: [String: (incarnation: String, since: Instant)] = [:]
    private var looks = 0

    mutating func look(_ living: [Announcement], now: Instant) {
        for announcement in living where known[announcement.instance]?.incarnation != announcement.incarnation {
            // Those of the first look were here before us.
            let since = looks == 0 ? Instant(nanoseconds: 0) : now
            known[announcement.instance] = (announcement.incarnation, since)
        }
        looks += 1
    }

    /// Whether the instance has certainly been started anew within that time.
    func hasRestarted(_ instance: String, within age: Interval, now: Instant) -> Bool {
        guard let known = known[instance] else { return false }
        return now - known.since + Self.blur < age
    }
}
