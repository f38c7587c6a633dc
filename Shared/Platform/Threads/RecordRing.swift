internal import Synchronization

/// Records of bytes from one thread to another: in order, bounded, and without a lock. Whoever appends never waits: a record that
/// does not fit is refused.
@safe public final class RecordRing: @unchecked Sendable {
    // Sendable: one thread appends and one drains. Each moves its own counter and only reads the other's; the bytes between the two
    // belong to the one that drains.

    /// What stands before the bytes of a record, in words whose meaning is the users'.
    public typealias Head = InlineArray<6, UInt64>

    private static let headLength = 7 * 8
    /// In place of a length: the record stands at the beginning of the memory.
    private static let wraps = UInt64.max

    private let memory: UnsafeMutableRawPointer
    private let capacity: Int
    /// Bytes ever appended, and ever drained.
    private let appended = Atomic<Int>(0)
    private let drained = Atomic<Int>(0)
    /// The appending thread's last look at `drained`.
    private var room = 0

    /// `capacity`: bytes, rounded up to a power of two.
    public init(capacity: Int) {
        var size = 4096
        while size < capacity, size < 1 << 40 { size *= 2 }
        self.capacity = size
        unsafe memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    }

    deinit { unsafe memory.deallocate() }

    /// False when there is no room for it now, or ever.
    public func append(_ head: Head, _ bytes: Span<UInt8>) -> Bool {
        let length = Self.headLength + (bytes.count + 7) & ~7
        guard length <= capacity / 4 else { return false }
        var start = appended.load(ordering: .relaxed)
        let place = start & (capacity - 1)
        let gap = capacity - place < length ? capacity - place : 0
        if start + gap + length - room > capacity {
            room = drained.load(ordering: .acquiring)
            guard start + gap + length - room <= capacity else { return false }
        }
        if gap > 0 {
            unsafe memory.storeBytes(of: Self.wraps, toByteOffset: place, as: UInt64.self)
            start += gap
        }
        write(head, bytes, at: start & (capacity - 1))
        appended.store(start + length, ordering: .releasing)
        return true
    }

    private func write(_ head: Head, _ bytes: Span<UInt8>, at place: Int) {
        unsafe memory.storeBytes(of: UInt64(bytes.count), toByteOffset: place, as: UInt64.self)
        for word in head.indices { unsafe memory.storeBytes(of: head[word], toByteOffset: place + 8 * (word + 1), as: UInt64.self) }
        unsafe bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe memory.advanced(by: place + Self.headLength).copyMemory(from: base, byteCount: source.count)
        }
    }

    /// Hands over what was appended before the call, oldest first, or the first few of it. The bytes are lent.
    public func drain(atMost limit: Int = .max, _ body: (Head, Span<UInt8>) -> Void) {
        var left = limit
        let end = appended.load(ordering: .acquiring)
        var start = drained.load(ordering: .relaxed)
        while start < end, left > 0 {
            let place = start & (capacity - 1)
            let count = unsafe memory.load(fromByteOffset: place, as: UInt64.self)
            guard count != Self.wraps else {
                start += capacity - place
                continue
            }
            var head = Head(repeating: 0)
            for word in head.indices { head[word] = unsafe memory.load(fromByteOffset: place + 8 * (word + 1), as: UInt64.self) }
            let bytes = unsafe UnsafeRawBufferPointer(start: memory.advanced(by: place + Self.headLength), count: Int(count))
            unsafe bytes.withMemoryRebound(to: UInt8.self) { unsafe body(head, $0.span) }
            start += Self.headLength + (Int(count) + 7) & ~7
            left -= 1
            drained.store(start, ordering: .releasing)
        }
        drained.store(start, ordering: .releasing)
    }
}
