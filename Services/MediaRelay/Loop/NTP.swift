import Threads

/// The wall clock in the form of RFC 3550 §4: seconds since 1900 in the upper half, fractions in the lower.
enum NTP {
    private static let secondsTo1970: UInt64 = 2_208_988_800

    static func now() -> UInt64 { time(milliseconds: UInt64(clamping: WallClock.milliseconds())) }

    static func time(milliseconds: UInt64) -> UInt64 {
        (milliseconds / 1000 &+ secondsTo1970) << 32 | (milliseconds % 1000) << 32 / 1000
    }
}
