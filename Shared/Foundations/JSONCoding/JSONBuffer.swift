/// The text as it grows. A message is some hundred short appends: an array would ask at each of them whether it is shared, and who may touch
/// it; here one comparison makes room, and nothing is written beyond it.
@safe struct JSONBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        unsafe base = .allocate(byteCount: capacity, alignment: 1)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    var bytes: [UInt8] { unsafe Array(UnsafeRawBufferPointer(start: base, count: count)) }

    var last: UInt8? { unsafe count > 0 ? base.load(fromByteOffset: count - 1, as: UInt8.self) : nil }

    // MARK: Room

    @inline(__always)
    private mutating func reserve(_ more: Int) { if capacity - count < more { grow(more) } }

    @inline(never)
    private mutating func grow(_ more: Int) {
        capacity = max(capacity * 2, count + more)
        let wider = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
        unsafe wider.copyMemory(from: base, byteCount: count)
        unsafe base.deallocate()
        unsafe base = wider
    }

    /// Only after `reserve`.
    @inline(__always)
    private mutating func put<Value: BitwiseCopyable>(_ value: Value, _ length: Int) {
        unsafe base.storeBytes(of: value, toByteOffset: count, as: Value.self)
        count += length
    }

    // MARK: Appending

    mutating func append(_ byte: UInt8) {
        reserve(1)
        put(byte, 1)
    }

    mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        unsafe (base + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    mutating func append(decimal value: UInt64) {
        reserve(20)
        var (length, bound) = (1, 10 as UInt64)
        while value >= bound, length < 20 {
            length += 1
            bound = length < 20 ? bound * 10 : .max
        }
        var (rest, place) = (value, count + length)
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            place -= 1
            unsafe base.storeBytes(of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit), toByteOffset: place, as: UInt8.self)
            rest = quotient
        } while place > count
        count += length
    }

    /// A string with its quotes.
    mutating func append(quoted text: String) {
        let isWritten: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe append(quoted: UnsafeRawBufferPointer($0)) }
        guard isWritten == nil else { return }
        unsafe Array(text.utf8).withUnsafeBytes { unsafe append(quoted: $0) }
    }

    /// Eight bytes at a time, as most need no escape; what is written too far is written over.
    private mutating func append(quoted text: UnsafeRawBufferPointer) {
        reserve(text.count + 16)
        put(UInt8(ascii: "\""), 1)
        var index = 0
        while index < text.count {
            let rest = text.count - index
            let word = rest >= 8 ? unsafe text.loadUnaligned(fromByteOffset: index, as: UInt64.self) : unsafe Self.short(text, index, rest)
            let plain = JSONWord.plainLength(UInt64(littleEndian: word))
            put(word, plain)
            index += plain
            // The zeros behind the last bytes are not plain.
            guard plain < min(rest, 8) else { continue }
            unsafe escape(text[index])
            index += 1
            reserve(text.count - index + 16)
        }
        put(UInt8(ascii: "\""), 1)
    }

    /// The last bytes, fewer than eight, with zeros behind them.
    @inline(__always)
    private static func short(_ text: UnsafeRawBufferPointer, _ index: Int, _ count: Int) -> UInt64 {
        if count >= 4 {
            let first = UInt64(UInt32(littleEndian: unsafe text.loadUnaligned(fromByteOffset: index, as: UInt32.self)))
            let last = UInt64(UInt32(littleEndian: unsafe text.loadUnaligned(fromByteOffset: index + count - 4, as: UInt32.self)))
            return (first | last << UInt64(8 * (count - 4))).littleEndian
        }
        let (first, middle, last) = unsafe (UInt64(text[index]), UInt64(text[index + count / 2]), UInt64(text[index + count - 1]))
        return (first | middle << UInt64(8 * (count / 2)) | last << UInt64(8 * (count - 1))).littleEndian
    }

    /// RFC 8259 §7. There is room.
    @inline(__always)
    private mutating func escape(_ byte: UInt8) {
        put(UInt8(ascii: "\\"), 1)
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): put(byte, 1)
        case 0x08: put(UInt8(ascii: "b"), 1)
        case 0x09: put(UInt8(ascii: "t"), 1)
        case 0x0A: put(UInt8(ascii: "n"), 1)
        case 0x0C: put(UInt8(ascii: "f"), 1)
        case 0x0D: put(UInt8(ascii: "r"), 1)
        default:
            for digit in [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0"), UInt8(ascii: "0") + byte >> 4] { put(digit, 1) }
            put(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") - 10 + byte & 15, 1)
        }
    }
}
