import Bytes

/// For how long an answer may be used again without asking (RFC 9111, as a cache that many customers share).
struct Freshness: Sendable, Equatable {
    /// What a server says nothing about is taken for good for a minute: a menu is heard by many at once.
    static let unsaid = 60
    static let longest = 7 * 86_400
    /// How long a copy that has grown old serves when its server is not to be reached (RFC 5861 §4): a prompt of yesterday is
    /// better than none.
    static let whenUnreachable = 86_400

    /// Kept at all; what is meant for one customer, or for nobody, is not.
    var isStorable = true
    /// In seconds.
    var lifetime = unsaid
    var mayServeStale = true

    init(_ headers: WebHeaders) {
        let directives = Self.directives(headers["cache-control"] ?? "")
        isStorable = directives["no-store"] == nil && directives["private"] == nil && headers["vary"] != "*"
        mayServeStale =
            directives["must-revalidate"] == nil && directives["proxy-revalidate"] == nil && directives["no-cache"] == nil
        // RFC 9111 §4.2.1: the first of these that is there.
        if let shared = directives["s-maxage"].flatMap(Self.seconds) {
            lifetime = shared
        } else if let own = directives["max-age"].flatMap(Self.seconds) {
            lifetime = own
        } else if let expires = headers["expires"] {
            // One that cannot be read has passed (§5.3).
            let (end, now) = (HTTPDate.seconds(expires), headers["date"].flatMap(HTTPDate.seconds))
            lifetime = if let end, let now { max(0, end - now) } else { 0 }
        }
        if directives["no-cache"] != nil { lifetime = 0 }
        lifetime = min(max(0, lifetime - (headers["age"].flatMap(Self.seconds) ?? 0)), Self.longest)
    }

    private static func directives(_ text: String) -> [String: String] {
        var found: [String: String] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard let name = pair.first.map(trimmed)?.lowercased(), !name.isEmpty else { continue }
            found[name] = pair.count > 1 ? trimmed(pair[1]).filter { $0 != "\"" } : ""
        }
        return found
    }

    private static func seconds(_ text: String) -> Int? {
        ASCII.decimal(trimmed(text[...]).utf8).map { Int(clamping: min($0, UInt64(longest))) }
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// Dates as every server writes them today: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Since 1970; nil for any other form.
    static func seconds(_ text: String) -> Int? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])),
            let day = Int(parts[1]), (1...31).contains(day), let year = Int(parts[3]), (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":").map { Int($0) ?? -1 }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]) else {
            return nil
        }
        return days(year, month + 1, day) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    }

    /// Days of the proleptic Gregorian calendar since 1970-01-01; years begin in March, so that the leap day is the last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = (shifted / 400, shifted % 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
