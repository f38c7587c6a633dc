public import Deadlines

/// When control packets are sent (RFC 3550 §6.2, §6.3.1).
public enum ReportInterval {
    /// Tmin. With two members, reports of some 120 octets and five hundredths of 64 kbit/s, bandwidth alone would allow one each
    /// 0.6 s: it never decides.
    public static let minimum = Interval.seconds(5)

    /// The pause before the next one; `random` lies in 0..<1. Half as long before the first (§6.2).
    ///
    /// The divisor is that of §6.3.1, e - 3/2: what timer reconsideration would settle below.
    public static func pause(minimum: Interval = minimum, isFirst: Bool = false, random: Double) -> Interval {
        let mean = Double(isFirst ? minimum.nanoseconds / 2 : minimum.nanoseconds) / 1.21828
        return Interval(nanoseconds: Int64(mean * (0.5 + min(max(random, 0), 1))))
    }
}
