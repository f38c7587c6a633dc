/// A wall-clock time with milliseconds, written as RFC 3339 in UTC: `2026-11-25T08:34:07.123Z`.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Since 1970-01-01T00:00:00Z.
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// Parses RFC 3339 date-times with `Z` or a numeric offset and up to nine fraction digits; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard byte &- 48 < 10 else { return nil }
                value = value * 10 + Int64(byte &- 48)
            }
            return value
        }
        func has(_ characters: String, at index: Int) -> Bool {
            bytes.indices.contains(index) && characters.utf8.contains(bytes[index])
        }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), (1...12).contains(month),
            has("-", at: 7), let day = number(8..<10), (1...31).contains(day), has("Tt ", at: 10),
            let hour = number(11..<13), hour < 24, has(":", at: 13), let minute = number(14..<16), minute < 60,
            has(":", at: 16), let second = number(17..<19), second <= 60
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if has(".", at: index) {
            index += 1
            var (digits, scale) = (0, Int64(100))
            while let digit = number(index..<(index + 1)) {
                fraction += digit * scale
                scale /= 10
                (digits, index) = (digits + 1, index + 1)
                guard digits <= 9 else { return nil }
            }
            guard digits > 0 else { return nil }
        }
        var offset: Int64 = 0
        if has("Zz", at: index) {
            index += 1
        } else if has("+-", at: index), let hours = number((index + 1)..<(index + 3)), hours < 24, has(":", at: index + 3),
            let minutes = number((index + 4)..<(index + 6)), minutes < 60
        {
            offset = (hours * 60 + minutes) * (has("-", at: index) ? -1 : 1)
            index += 6
        } else {
            return nil
        }
        guard index == bytes.count else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + (minute - offset) * 60 + second
        self.init(milliseconds: seconds * 1_000 + fraction)
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in 400-year eras that start on 1 March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String {
        let (days, inDay) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        let shifted = (inDay < 0 ? days - 1 : days) + 719_468
        let time = inDay < 0 ? inDay + 86_400_000 : inDay
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let text = [UInt8](capacity: 40) { output in
            Self.write(year, 4, "-", into: &output)
            Self.write(month, 2, "-", into: &output)
            Self.write(day, 2, "T", into: &output)
            Self.write(time / 3_600_000, 2, ":", into: &output)
            Self.write(time / 60_000 % 60, 2, ":", into: &output)
            Self.write(time / 1_000 % 60, 2, ".", into: &output)
            Self.write(time % 1_000, 3, "Z", into: &output)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// At least `width` digits, and what stands behind them.
    private static func write(_ value: Int64, _ width: Int, _ mark: Unicode.Scalar, into output: inout OutputSpan<UInt8>) {
        let digits = String(value).utf8
        for _ in 0..<max(0, width - digits.count) { output.append(UInt8(ascii: "0")) }
        for digit in digits { output.append(digit) }
        output.append(UInt8(ascii: mark))
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let parsed = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 date-time")
        }
        self = parsed
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
