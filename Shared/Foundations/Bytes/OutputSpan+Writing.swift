/// Writing text into memory that is there already. Whoever writes makes sure that there is room: running out of it is a mistake
/// of ours and ends the process.
extension OutputSpan where Element == UInt8 {
    @inline(__always)
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

    @inline(__always)
    public mutating func write(_ bytes: [UInt8]) { write(bytes.span) }

    @inline(__always)
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

    public mutating func write(decimal value: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var (rest, index) = (value, 20)
        repeat {
            index &-= 1
            digits[index] = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
            rest /= 10
        } while rest > 0
        write(digits.span.extracting(index..<20))
    }

    public mutating func write(decimal value: Int) { write(decimal: UInt64(max(0, value))) }
}
