internal import CLinux

/// Memory that lives as long as any process has its descriptor, and keeps its content over the death of each.
///
/// What is written into it is written twice in turn: who dies in the middle leaves the record before it whole.
@safe public final class SharedMemory: @unchecked Sendable {
    // Sendable: each record has one writer, and its readers come when that one is dead.

    private let handle: Descriptor
    private let start: UnsafeMutableRawPointer
    public let size: Int
    public var descriptor: Int32 { handle.number }

    /// `size` zeroes, which take memory when they are written; nil when the system has none.
    public convenience init?(name: String, size: Int) {
        let descriptor = unsafe tandem_memory_create(name, size)
        guard descriptor >= 0 else { return nil }
        self.init(adopting: Descriptor(owning: descriptor), size: size)
    }

    /// Nil when it is not memory of that size.
    public init?(adopting handle: Descriptor, size: Int) {
        guard let start = unsafe tandem_memory_map(handle.number, size) else { return nil }
        unsafe self.start = start
        (self.handle, self.size) = (handle, size)
    }

    deinit { unsafe tandem_memory_unmap(start, size) }

    /// What a record of so many bytes takes, in whole cache lines.
    public static func room(_ size: Int) -> Int { (Int(TANDEM_TWIN_HEAD) + 2 * size + 63) / 64 * 64 }

    /// Records at one place are always of one size.
    public func write(_ record: UnsafeRawBufferPointer, at offset: Int) {
        precondition(offset >= 0 && offset + Self.room(record.count) <= size, "a record lies within its memory")
        unsafe tandem_twin_write(start + offset, record.baseAddress, record.count)
    }

    /// What was written last; false when nothing was.
    public func read(into record: UnsafeMutableRawBufferPointer, at offset: Int) -> Bool {
        precondition(offset >= 0 && offset + Self.room(record.count) <= size, "a record lies within its memory")
        return unsafe tandem_twin_read(start + offset, record.baseAddress, record.count) == 1
    }

    /// Nothing was written there.
    public func clear(at offset: Int) {
        precondition(offset >= 0 && offset + 8 <= size, "a record lies within its memory")
        unsafe tandem_twin_clear(start + offset)
    }

    /// Plain bytes, which mean nothing until a record says so.
    public func store(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= size, "bytes lie within their memory")
        guard let source = bytes.baseAddress else { return }
        unsafe (start + offset).copyMemory(from: source, byteCount: bytes.count)
    }

    public func load(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= size, "bytes lie within their memory")
        unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(start: start + offset, count: bytes.count))
    }
}
