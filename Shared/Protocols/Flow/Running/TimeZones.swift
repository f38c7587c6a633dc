/// Knows how far local time is ahead of UTC. The database of time zones is the outside world's, so it is given.
public struct TimeZones: Sendable {
    private let lookUp: @Sendable (_ name: String, _ unixSeconds: Int64) -> Int?

    /// `lookUp` gives the offset in seconds of a named zone at a moment, nil for a name it does not know.
    public init(_ lookUp: @escaping @Sendable (_ name: String, _ unixSeconds: Int64) -> Int?) { self.lookUp = lookUp }

    public static let utc = TimeZones { name, _ in ["UTC", "Etc/UTC", "GMT", "Z"].contains(name) ? 0 : nil }

    /// Believes every name: for lists that were validated before.
    static let any = TimeZones { _, _ in 0 }

    public func offset(of name: String, at unixSeconds: Int64) -> Int? { lookUp(name, unixSeconds) }
}

/// A date and time of day on some wall.
struct CivilTime: Equatable {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    /// 0 is Sunday.
    let weekday: Int

    /// Counts days from 1 March 0000 in eras of 400 years, so that the leap day is the last day of a year.
    init(unixSeconds: Int64) {
        let days = Self.quotient(unixSeconds, 86_400)
        let second = unixSeconds - days * 86_400
        hour = Int(second / 3600)
        minute = Int(second % 3600 / 60)
        // 1 January 1970 was a Thursday.
        weekday = Int((days % 7 + 11) % 7)
        let shifted = days + 719_468
        let era = Self.quotient(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
        month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        year = Int(era * 400 + yearOfEra + (marchMonth < 10 ? 0 : 1))
    }

    /// Rounds down, also before 1970.
    private static func quotient(_ value: Int64, _ divisor: Int64) -> Int64 {
        value / divisor - (value % divisor < 0 ? 1 : 0)
    }
}
