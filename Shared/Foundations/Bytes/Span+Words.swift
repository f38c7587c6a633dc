public import CLanes

/// Eight and sixteen bytes at a time, for the loops through which every received byte passes.
extension Span where Element == UInt8 {
    /// Eight bytes from `offset`, the first in the lowest place.
    @inlinable @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset &+ 8 <= count, "a word lies within the bytes")
        return unsafe withUnsafeBytes { unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    }

    /// The first of the bytes from `offset` to `end` that is of a kind, as far as it can be told sixteen at a time: else where to go on.
    /// Bytes behind `end` are looked at, and do not count.
    @inlinable @inline(__always)
    func firstLane(from offset: Int, to end: Int, _ kind: (UnsafePointer<UInt8>) -> UInt32) -> (index: Int, isFound: Bool) {
        precondition(offset >= 0 && end <= count, "the range lies within the bytes")
        var index = offset
        while index < end, index &+ 16 <= count {
            let found = unsafe withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return 0 as UInt32 }
                return unsafe kind(start + index)
            }
            if found != 0 { return (Swift.min(index &+ found.trailingZeroBitCount, end), true) }
            index &+= 16
        }
        return (Swift.min(index, end), index >= end)
    }

    /// The first byte from `offset` that is a control character (below 32, or 127); `end` when there is none before it.
    @inlinable
    public func firstControl(from offset: Int, to end: Int) -> Int {
        var (index, isFound) = unsafe firstLane(from: offset, to: end) { unsafe tandem_lanes_controls($0) }
        if isFound { return index }
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
        var (index, isFound) = unsafe firstLane(from: offset, to: end) { unsafe tandem_lanes_equal($0, byte) }
        if isFound { return index }
        while index < end, self[index] != byte { index &+= 1 }
        return index
    }

    /// The first byte from `offset` that may have a meaning in a URI: below `&`, one of `:;<=>?@`, or above `~`; `end` when there is none.
    @inlinable @inline(__always)
    public func firstURIDelimiter(from offset: Int, to end: Int) -> Int {
        var (index, isFound) = unsafe firstLane(from: offset, to: end) { unsafe tandem_lanes_uri_delimiters($0) }
        if isFound { return index }
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
        var (index, isFound) = unsafe firstLane(from: offset, to: end) { unsafe tandem_lanes_value_delimiters($0) }
        if isFound { return index }
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
        var (index, isFound) = unsafe firstLane(from: offset, to: end) { unsafe tandem_lanes_non_hosts($0) }
        if isFound { return index }
        while index < end {
            let byte = self[index]
            guard (byte | 32) &- 97 < 26 || byte &- 48 < 10 || byte == 0x2d || byte == 0x2e || byte == 0x5f else { return index }
            index &+= 1
        }
        return end
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
