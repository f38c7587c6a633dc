internal import Glibc

/// The values of `<prosody>` that are passed on, each within its bounds.
enum Prosody {
    private static let rates: Set<String> = ["x-slow", "slow", "medium", "fast", "x-fast", "default"]
    private static let pitches: Set<String> = ["x-low", "low", "medium", "high", "x-high", "default"]
    private static let volumes: Set<String> = ["silent", "x-soft", "soft", "medium", "loud", "x-loud", "default"]

    static func attributes(_ given: [String: String]) -> String {
        var text = ""
        if let rate = given["rate"].flatMap(rate) { text += " rate=\"\(rate)\"" }
        if let pitch = given["pitch"].flatMap(pitch) { text += " pitch=\"\(pitch)\"" }
        if let volume = given["volume"].flatMap(volume) { text += " volume=\"\(volume)\"" }
        return text
    }

    /// A name, or a percentage of the usual rate (§3.2.4).
    private static func rate(_ value: String) -> String? {
        if rates.contains(value) { return value }
        guard value.hasSuffix("%"), let percent = number(value.dropLast()) else { return nil }
        let isRelative = value.hasPrefix("+") || value.hasPrefix("-")
        return "\(Int(min(max(isRelative ? 100 + percent : percent, 20), 400)))%"
    }

    /// A name, or a change by a percentage or in semitones.
    private static func pitch(_ value: String) -> String? {
        if pitches.contains(value) { return value }
        for (unit, most) in [("%", 100.0), ("st", 24.0)] where value.hasSuffix(unit) {
            guard let change = number(value.dropLast(unit.count)) else { return nil }
            let whole = Int(min(max(change, -most), most))
            return (whole < 0 ? "" : "+") + "\(whole)\(unit)"
        }
        return nil
    }

    /// A name, or a change in dB or by a percentage; the latter is passed on.
    private static func volume(_ value: String) -> String? {
        if volumes.contains(value) { return value }
        let change: Int
        if value.hasSuffix("dB"), let decibels = number(value.dropLast(2)) {
            change = Int((pow(10, min(max(decibels, -40), 12) / 20) * 100 - 100).rounded())
        } else if value.hasSuffix("%"), value.hasPrefix("+") || value.hasPrefix("-"), let percent = number(value.dropLast()) {
            change = Int(min(max(percent, -100), 300))
        } else {
            return nil
        }
        return (change < 0 ? "" : "+") + "\(change)%"
    }

    /// Digits with a sign and a point: nothing that only a computer would write.
    static func number(_ text: some StringProtocol) -> Double? {
        guard (1...8).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) || [43, 45, 46].contains($0) })
        else { return nil }
        return Double(text)
    }
}
