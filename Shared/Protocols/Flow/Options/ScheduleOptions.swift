/// `schedule`: opening hours. Goes on at the action for "open", "closed" or "holiday"; without one, with the next.
public struct Schedule: Sendable, Hashable, OptionFields {
    /// When it is open: on those days from then to then. `to` before `from` is on the next day.
    public struct Hours: Sendable, Hashable, OptionFields {
        /// 0 is Sunday; none is every day.
        public var weekdays: [Int] = []
        /// `HH:MM`; `to` may be `24:00`, and is outside.
        public var from = ""
        public var to = ""

        public init() {}

        mutating func visit(_ visitor: inout some OptionVisitor) {
            visitor.integers("weekdays", &weekdays, in: 0...6)
            visitor.string("from", &from, .required, .short)
            visitor.string("to", &to, .required, .short)
        }

        func covers(_ now: CivilTime) -> Bool {
            guard let from = TimeOfDay.minutes(from), let to = TimeOfDay.minutes(to) else { return false }
            let minute = now.hour * 60 + now.minute
            func isOn(_ weekday: Int) -> Bool { weekdays.isEmpty || weekdays.contains(weekday) }
            if from < to { return isOn(now.weekday) && minute >= from && minute < to }
            return isOn(now.weekday) && minute >= from || isOn((now.weekday + 6) % 7) && minute < to
        }
    }

    public struct Holiday: Sendable, Hashable, OptionFields {
        /// `YYYY-MM-DD`, or `MM-DD` for every year.
        public var date = ""
        public var name: String?

        public init() {}

        mutating func visit(_ visitor: inout some OptionVisitor) {
            visitor.string("date", &date, .required, .short)
            visitor.string("name", &name, .short)
        }

        func isOn(_ now: CivilTime) -> Bool {
            guard let parts = TimeOfDay.date(date) else { return false }
            return (parts.year ?? now.year, parts.month, parts.day) == (now.year, now.month, now.day)
        }
    }

    /// A name of the IANA time zone database; UTC without it.
    public var timezone: String?
    public var hours: [Hours] = []
    public var holidays: [Holiday] = []
    public var openTargetID: String?
    public var closedTargetID: String?
    /// Without it a holiday is closed.
    public var holidayTargetID: String?

    public init() {}

    mutating func visit(_ visitor: inout some OptionVisitor) {
        visitor.timezone("timezone", &timezone)
        visitor.objects("hours", &hours, .required)
        visitor.objects("holidays", &holidays, .optional)
        visitor.target("open_target_id", &openTargetID)
        visitor.target("closed_target_id", &closedTargetID)
        visitor.target("holiday_target_id", &holidayTargetID)
    }

    func check(_ reader: inout OptionReader) {
        for (index, hours) in hours.enumerated() {
            for (name, text) in [("from", hours.from), ("to", hours.to)] where !text.isEmpty && TimeOfDay.minutes(text) == nil {
                let place = reader.pointer.pointing(at: "hours").pointing(at: index).pointing(at: name)
                reader.note(place, .invalidValue, "a time of day is HH:MM, not \"\(text)\"")
            }
        }
        for (index, holiday) in holidays.enumerated() where !holiday.date.isEmpty && TimeOfDay.date(holiday.date) == nil {
            let place = reader.pointer.pointing(at: "holidays").pointing(at: index).pointing(at: "date")
            reader.note(place, .invalidValue, "a date is YYYY-MM-DD or MM-DD, not \"\(holiday.date)\"")
        }
    }
}

/// Times and dates as schedules write them.
enum TimeOfDay {
    /// Of `HH:MM`, up to 24:00.
    static func minutes(_ text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 24 * 60
        else { return nil }
        return hour * 60 + minute
    }

    static func date(_ text: String) -> (year: Int?, month: Int, day: Int)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, parts.suffix(2).allSatisfy({ $0.utf8.count == 2 }),
            text.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 }), let month = Int(parts[parts.count - 2]),
            let day = Int(parts[parts.count - 1]), (1...12).contains(month)
        else { return nil }
        let year = parts.count == 3 ? Int(parts[0]) : nil
        guard parts.count == 2 || parts[0].utf8.count == 4 else { return nil }
        let isLeap = year.map { $0 % 4 == 0 && ($0 % 100 != 0 || $0 % 400 == 0) } ?? true
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        return (1...days).contains(day) ? (year, month, day) : nil
    }
}
