/// Comparisons and numbers over ASCII bytes, as text protocols need them: no allocation, no locale.
public enum ASCII {
    @inlinable @inline(__always)
    public static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 32 : byte }
    @inlinable @inline(__always)
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
    @inlinable @inline(__always)
    public static func isLetter(_ byte: UInt8) -> Bool { (byte | 32) &- 97 < 26 }
    @inlinable @inline(__always)
    public static func isWhitespace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    /// Compiled in where it is used, where the length and the letters of `right` are known.
    @inlinable @inline(__always)
    public static func equalsIgnoringCase(_ left: Span<UInt8>, _ right: StaticString) -> Bool {
        let count = right.utf8CodeUnitCount
        guard left.count == count else { return false }
        let text = unsafe right.utf8Start
        for index in 0..<count {
            guard unsafe lowercased(left[index]) == lowercased(text[index]) else { return false }
        }
        return true
    }

    public static func equals(_ left: Span<UInt8>, _ right: String) -> Bool {
        var index = 0
        for byte in right.utf8 {
            guard index < left.count, left[index] == byte else { return false }
            index += 1
        }
        return index == left.count
    }

    @inlinable
    public static func equalsIgnoringCase(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
        left.utf8.elementsEqual(right.utf8) { lowercased($0) == lowercased($1) }
    }

    /// What most strings are compared by: few that differ have one length.
    public static func equalsIgnoringCase(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        for (left, right) in zip(left.utf8, right.utf8) where left != right && lowercased(left) != lowercased(right) { return false }
        return true
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
        if bytes.count < 20 {
            for index in bytes.indices {
                guard isDigit(bytes[index]) else { return nil }
                value = value &* 10 &+ UInt64(bytes[index] &- 48)
            }
            return value
        }
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
