import Bytes

/// The `q` of a Contact (RFC 3261 §25.1 `qvalue`): 0 to 1 in thousandths, which is how it is compared, kept and printed.
struct QualityValue: Sendable, Hashable, Comparable, Codable {
    static let highest = QualityValue(thousandths: 1_000)

    let thousandths: Int

    private init(thousandths: Int) { self.thousandths = thousandths }

    /// The nearest that there is.
    init(_ value: Double) {
        thousandths = value.isFinite ? Int((min(max(value, 0), 1) * 1_000).rounded()) : 0
    }

    /// Digits with at most one point: neither a sign nor an exponent. More than three decimals are rounded.
    init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let digits = parts.joined().utf8
        // Double wants digits on both sides of a point.
        let number = "0" + text + (text.hasSuffix(".") ? "0" : "")
        guard (1...32).contains(digits.count), digits.allSatisfy(ASCII.isDigit), let value = Double(number), value <= 1 else {
            return nil
        }
        self.init(value)
    }

    var value: Double { Double(thousandths) / 1_000 }

    static func < (left: QualityValue, right: QualityValue) -> Bool { left.thousandths < right.thousandths }

    init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(Double.self)) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

extension QualityValue: CustomStringConvertible {
    /// Without an exponent and without superfluous zeros.
    var description: String {
        guard thousandths < 1_000 else { return "1" }
        var decimals = String(String(1_000 + thousandths).dropFirst())
        while decimals.last == "0" { decimals.removeLast() }
        return decimals.isEmpty ? "0" : "0." + decimals
    }
}
