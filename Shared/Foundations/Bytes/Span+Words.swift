/// Eight bytes at a time, for the loops through which every received byte passes.
extension Span where Element == UInt8 {
    /// Eight bytes from `offset`, the first in the lowest place.
    @inlinable @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset &+ 8 <= count, "a word lies within the bytes")
        return unsafe withUnsafeBytes { unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    }

    /// The first byte from `offset` that is a control character (below 32, or 127); `end` when there is none before it.
    @inlinable
    public func firstControl(from offset: Int, to end: Int) -> Int {
        var index = offset
        while index &+ 16 <= end {
            let first = Lanes(word(at: index)).controls
            let second = Lanes(word(at: index &+ 8)).controls
            if first | second != 0 {
                return first != 0 ? index &+ first.trailingZeroBitCount &>> 3 : index &+ 8 &+ second.trailingZeroBitCount &>> 3
            }
            index &+= 16
        }
        if index &+ 8 <= end {
            let found = Lanes(word(at: index)).controls
            if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end {
            let byte = self[index]
            if byte < 32 || byte == 127 { return index }
            index &+= 1
        }
        return end
    }

    /// The first `byte` from `offset`; `end` when there is none before it.
    @inlinable
    public func firstIndex(of byte: UInt8, from offset: Int, to end: Int) -> Int {
        let (ones, highs) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
        var index = offset
        while index &+ 8 <= end {
            let word = word(at: index) ^ (ones &* UInt64(byte))
            // Exact in the lowest byte that is found.
            let found = (word &- ones) & ~word & highs
            if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end, self[index] != byte { index &+= 1 }
        return index
    }

    /// The first byte from `offset` that may have a meaning in a URI: below `&`, one of `:;<=>?@`, or above `~`; `end` when there is none.
    @inlinable @inline(__always)
    public func firstURIDelimiter(from offset: Int, to end: Int) -> Int {
        var index = offset
        while index &+ 8 <= end {
            let word = Lanes(word(at: index))
            let found = word.below(0x26) | word.within(0x3a, 0x40) | word.atLeast(0x7f)
            if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end {
            let byte = self[index]
            if byte < 0x26 || byte &- 0x3a < 7 || byte >= 0x7f { return index }
            index &+= 1
        }
        return end
    }

    /// The first byte from `offset` that may end the value of a parameter: below `#`, a comma, or one of `;<=>`; `end` when there is
    /// none.
    @inlinable @inline(__always)
    public func firstValueDelimiter(from offset: Int, to end: Int) -> Int {
        var index = offset
        while index &+ 8 <= end {
            let word = Lanes(word(at: index))
            let found = word.below(0x23) | word.within(0x2c, 0x2c) | word.within(0x3b, 0x3e)
            if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end {
            let byte = self[index]
            if byte < 0x23 || byte == 0x2c || byte &- 0x3b < 4 { return index }
            index &+= 1
        }
        return end
    }

    /// The first byte from `offset` that cannot stand in a host name or IPv4 address: no letter, digit, dot, hyphen or underscore; `end`
    /// when there is none.
    @inlinable @inline(__always)
    public func firstNonHost(from offset: Int, to end: Int) -> Int {
        var index = offset
        while index &+ 8 <= end {
            let bytes = word(at: index)
            let (word, letters) = (Lanes(bytes), Lanes(bytes | 0x2020_2020_2020_2020))
            let host = letters.within(0x61, 0x7a) | word.within(0x30, 0x39) | word.within(0x2d, 0x2e) | word.within(0x5f, 0x5f)
            let found = ~host & 0x8080_8080_8080_8080
            if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end {
            let byte = self[index]
            guard (byte | 32) &- 97 < 26 || byte &- 48 < 10 || byte == 0x2d || byte == 0x2e || byte == 0x5f else { return index }
            index &+= 1
        }
        return end
    }

    public func array() -> [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }
}

/// Eight bytes beside each other in a word. A comparison sets the highest bit of each byte for which it holds, exactly.
@usableFromInline
struct Lanes {
    @inlinable @inline(__always)
    static var ones: UInt64 { 0x0101_0101_0101_0101 }
    @inlinable @inline(__always)
    static var highs: UInt64 { 0x8080_8080_8080_8080 }
    @usableFromInline let low, high: UInt64

    @inlinable @inline(__always)
    init(_ word: UInt64) { (low, high) = (word & ~Self.highs, word & Self.highs) }

    /// `bound` is 1 to 128.
    @inlinable @inline(__always)
    func atLeast(_ bound: UInt64) -> UInt64 { (low &+ Self.ones &* (128 &- bound)) & Self.highs | high }

    @inlinable @inline(__always)
    func below(_ bound: UInt64) -> UInt64 { ~atLeast(bound) & Self.highs }

    /// Below 32, or 127.
    @inlinable @inline(__always)
    var controls: UInt64 { (~(low &+ Self.ones &* 96) | (low &+ Self.ones)) & Self.highs & ~high }

    @inlinable @inline(__always)
    func within(_ first: UInt64, _ last: UInt64) -> UInt64 { atLeast(first) & ~atLeast(last &+ 1) }
}

/// Numbers in network byte order, in memory that is there already.
extension InlineArray where Element == UInt8 {
    /// Eight bytes from `offset` on.
    @inlinable @inline(__always)
    public func bigEndian(at offset: Int) -> UInt64 { span.word(at: offset).byteSwapped }

    @inlinable @inline(__always)
    public mutating func write(bigEndian word: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset &+ 8 <= count, "a word lies within the bytes")
        var bytes = mutableSpan
        unsafe bytes.withUnsafeMutableBytes { unsafe $0.storeBytes(of: word.bigEndian, toByteOffset: offset, as: UInt64.self) }
    }
}
