import Deadlines
import FoundationEssentials

/// A leg as it is written down, with the time it was: its deadlines are instants of a clock that every start of a machine begins anew.
struct LegSnapshot: Codable {
    private var leg: Leg
    /// Of the machine's start; the monotonic clock means something there only.
    private var boot: String
    private var now: Instant
    /// Milliseconds of Unix time.
    private var time: Int64

    init(_ leg: Leg, at now: Instant, time: Int64, boot: String = Self.boot) {
        (self.leg, self.boot, self.now, self.time) = (leg, boot, now, time)
    }

    /// The leg with deadlines of this machine's clock. On the same machine the clock on the wall means nothing (RELIABILITY D8).
    func restored(at now: Instant, time: Int64, boot: String = Self.boot) -> Leg {
        guard boot != self.boot else { return leg }
        var leg = leg
        let passed = Interval.milliseconds(Int(clamping: max(0, time - self.time)))
        func restored(_ instant: Instant) -> Instant { now + (instant - self.now) + passed * -1 }
        leg.deadlines = leg.deadlines.mapValues(restored)
        if let end = leg.bequest?.end { leg.bequest?.end = restored(end) }
        return leg
    }

    static let boot: String =
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?.filter { !$0.isWhitespace } ?? ""
}
