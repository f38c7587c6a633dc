/// Eight bytes of a string at a time, the first of them the lowest.
enum JSONWord {
    private static let ones = 0x0101_0101_0101_0101 as UInt64
    private static let tops = 0x8080_8080_8080_8080 as UInt64

    /// How many bytes come before one that is below 0x20, a quote or a backslash (RFC 8259 §7). A borrow disturbs only bytes above the first
    /// one found.
    @inline(__always)
    static func plainLength(_ word: UInt64) -> Int {
        let (quote, backslash) = (word ^ ones &* UInt64(UInt8(ascii: "\"")), word ^ ones &* UInt64(UInt8(ascii: "\\")))
        let control = (word &- ones &* 0x20) & ~word
        let found = (control | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & tops
        return found.trailingZeroBitCount / 8
    }

    static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") }

    static func isASCII(_ word: UInt64) -> Bool { word & tops == 0 }
}
