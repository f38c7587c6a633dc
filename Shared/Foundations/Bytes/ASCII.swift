/// Comparisons and numbers over ASCII bytes, as text protocols need them: no allocation, no locale.
public enum ASCII {
    public static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 32 : byte }
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
    public static func isLetter(_ byte: UInt8) -> Bool { (byte | 32) &- 97 < 26 }
    public static func isWhitespace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    public static func equalsIgnoringCase(_ left: Span<UInt8>, _ right: StaticString) -> Bool {
        guard left.count == right.utf8CodeUnitCount else { return false }
        return right.withUTF8Buffer { text in
            for index in left.indices where unsafe lowercased(left[index]) != lowercased(text[index]) { return false }
            return true
        }
    }

    public static func equals(_ left: Span<UInt8>, _ right: String) -> Bool {
        var index = 0
        for byte in right.utf8 {
            guard index < left.count, left[index] == byte else { return false }
            index += 1
        }
        return index == left.count
    }

    public static func equalsIgnoringCase(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
        left.utf8.elementsEqual(right.utf8) { lowercased($0) == lowercased($1) }
    }

    /// Decimal digits only, no sign; nil when empty, when another byte occurs, or above `UInt64.max`.
    public static func decimal(_ bytes: some Sequence<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var any = false
        for byte in bytes {
            guard isDigit(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- 48))
            guard !overflow, !carry else { return nil }
            (value, any) = (sum, true)
        }
        return any ? value : nil
    }

    public static func decimal(_ bytes: Span<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        guard !bytes.isEmpty else { return nil }
        for index in bytes.indices {
            guard isDigit(bytes[index]) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[index] &- 48))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}
