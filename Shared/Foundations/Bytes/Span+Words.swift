/// Eight bytes at a time, for the loops through which every received byte passes.
extension Span where Element == UInt8 {
    /// Eight bytes from `offset`, the first in the lowest place.
    @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset &+ 8 <= count, "a word lies within the bytes")
        return unsafe withUnsafeBytes { unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    }

    /// The first byte from `offset` that is a control character (below 32, or 127); `end` when there is none before it.
    @inline(__always)
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
        var index = offset
        while index < end, self[index] != byte { index &+= 1 }
        return index
    }

    public func array() -> [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }
}
