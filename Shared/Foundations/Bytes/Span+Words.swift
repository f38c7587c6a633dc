/// Eight bytes at a time, for the loops through which every received byte passes.
extension Span where Element == UInt8 {
    /// Eight bytes from `offset`, the first in the lowest place.
    @inlinable @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset &+ 8 <= count, "a word lies within the bytes")
        return unsafe withUnsafeBytes { unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    }

    /// The first byte from `offset` that is a control character (below 32, or 127); `end` when there is none before it.
    public func firstControl(from offset: Int, to end: Int) -> Int {
        let (ones, highs) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
        var index = offset
        while index &+ 8 <= end {
            let word = word(at: index)
            // Exact in the lowest byte that is found, which is the one we want; bytes above 127 are none.
            let below = (word &- ones &* 32) & ~word & highs
            let delete = word ^ (ones &* 127)
            let deletes = (delete &- ones) & ~delete & highs
            let found = below | deletes
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

    public func array() -> [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }
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
