/// A point of monotonic time, in nanoseconds since an arbitrary start; one `UInt64`, so comparing two costs nothing.
///
/// Protocols never read a clock: an instant is always given to them as `now`.
public struct Instant: Hashable, Comparable, Sendable, Codable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static let distantFuture = Instant(nanoseconds: .max)

    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates at both ends instead of trapping: a deadline far away is simply never reached.
    public static func + (instant: Instant, interval: Interval) -> Instant {
        let magnitude = interval.nanoseconds.magnitude
        if interval.nanoseconds >= 0 {
            let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(magnitude)
            return Instant(nanoseconds: overflow ? .max : sum)
        }
        return Instant(nanoseconds: instant.nanoseconds > magnitude ? instant.nanoseconds - magnitude : 0)
    }

    public static func - (later: Instant, earlier: Instant) -> Interval {
        if later >= earlier {
            return Interval(nanoseconds: Int64(clamping: later.nanoseconds - earlier.nanoseconds))
        }
        return Interval(nanoseconds: -Int64(clamping: earlier.nanoseconds - later.nanoseconds))
    }
}

/// A length of time in nanoseconds, positive or negative.
public struct Interval: Hashable, Comparable, Sendable, Codable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = Interval(nanoseconds: 0)
    public static func microseconds(_ count: Int) -> Interval { scaled(count, by: 1_000) }
    public static func milliseconds(_ count: Int) -> Interval { scaled(count, by: 1_000_000) }
    public static func seconds(_ count: Int) -> Interval { scaled(count, by: 1_000_000_000) }

    public var milliseconds: Double { Double(nanoseconds) / 1e6 }
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

    public static func + (left: Interval, right: Interval) -> Interval {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return Interval(nanoseconds: overflow ? (left.nanoseconds > 0 ? .max : .min) : sum)
    }

    public static func * (interval: Interval, factor: Int) -> Interval {
        let (product, overflow) = interval.nanoseconds.multipliedReportingOverflow(by: Int64(factor))
        return Interval(nanoseconds: overflow ? .max : product)
    }

    private static func scaled(_ count: Int, by unit: Int64) -> Interval {
        let (product, overflow) = Int64(count).multipliedReportingOverflow(by: unit)
        return Interval(nanoseconds: overflow ? (count > 0 ? .max : .min) : product)
    }
}
