internal import CLinux
public import Deadlines
internal import Glibc

/// CLOCK_MONOTONIC: never set back, the same for all processes of one machine.
public enum MonotonicClock {
    public static func now() -> Instant { Instant(nanoseconds: tandem_monotonic_nanoseconds()) }
}

/// The time of day, for what people and other machines read; never for deadlines.
public enum WallClock {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    public static func milliseconds() -> Int64 { microseconds() / 1000 }

    /// Microseconds since then.
    public static func microseconds() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    }
}
