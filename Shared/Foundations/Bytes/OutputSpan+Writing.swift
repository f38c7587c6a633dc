/// Writing text into memory that is there already. Whoever writes makes sure that there is room: running out of it is a mistake
/// of ours and ends the process.
extension OutputSpan where Element == UInt8 {
    @inlinable @inline(__always)
    public mutating func write(_ bytes: Span<UInt8>) {
        let added = bytes.count
        precondition(added <= freeCapacity, "whoever writes has made room")
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe withUnsafeMutableBufferPointer { buffer, count in
                guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
                unsafe (to + count).update(from: from, count: added)
                count += added
            }
        }
    }

    @inlinable @inline(__always)
    public mutating func write(_ bytes: [UInt8]) { write(bytes.span) }

    @inlinable @inline(__always)
    public mutating func write(_ text: StaticString) {
        let added = text.utf8CodeUnitCount
        precondition(added <= freeCapacity, "whoever writes has made room")
        unsafe withUnsafeMutableBufferPointer { buffer, count in
            guard let to = buffer.baseAddress else { return }
            unsafe (to + count).update(from: text.utf8Start, count: added)
            count += added
        }
    }

    public mutating func write(text: String) {
        var text = text
        text.withUTF8 { write(unsafe Span(_unsafeElements: $0)) }
    }

    /// What was written there already, once more.
    public mutating func write(again range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count && range.count <= freeCapacity, "it was written, and there is room")
        unsafe withUnsafeMutableBufferPointer { buffer, count in
            guard let start = buffer.baseAddress else { return }
            unsafe (start + count).update(from: start + range.lowerBound, count: range.count)
            count += range.count
        }
    }

    /// Eight bytes, the lowest first.
    @inlinable @inline(__always)
    public mutating func write(word: UInt64) {
        precondition(freeCapacity >= 8, "whoever writes has made room")
        unsafe withUnsafeMutableBufferPointer { buffer, count in
            guard let start = buffer.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(start + count).storeBytes(of: word.littleEndian, as: UInt64.self)
            count += 8
        }
    }

    public mutating func write(decimal value: UInt64) {
        if value < 10 { return append(UInt8(truncatingIfNeeded: 48 &+ value)) }
        if value < 100_000 { return write(short: UInt32(truncatingIfNeeded: value)) }
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var (rest, index) = (value, 20)
        repeat {
            index &-= 1
            digits[index] = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
            rest /= 10
        } while rest > 0
        write(digits.span.extracting(index..<20))
    }

    /// Ten to 99,999: the numbers of addresses and ports.
    private mutating func write(short value: UInt32) {
        var rest = value
        if value >= 10_000 { append(Self.digit(&rest, 10_000)) }
        if value >= 1_000 { append(Self.digit(&rest, 1_000)) }
        if value >= 100 { append(Self.digit(&rest, 100)) }
        append(Self.digit(&rest, 10))
        append(UInt8(truncatingIfNeeded: 48 &+ rest))
    }

    @inline(__always)
    private static func digit(_ rest: inout UInt32, _ unit: UInt32) -> UInt8 {
        let digit = rest / unit
        rest &-= digit &* unit
        return UInt8(truncatingIfNeeded: 48 &+ digit)
    }

    public mutating func write(decimal value: Int) { write(decimal: UInt64(max(0, value))) }
}
