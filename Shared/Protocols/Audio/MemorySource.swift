internal import CSndfile

/// A read-only file over bytes in memory, in the form libsndfile calls back; lives only inside one `decode`.
struct MemorySource {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    static var access: SF_VIRTUAL_IO {
        unsafe SF_VIRTUAL_IO(
            get_filelen: { context in unsafe sf_count_t(MemorySource.of(context)?.pointee.bytes.count ?? 0) },
            seek: { offset, whence, context in
                guard let source = unsafe MemorySource.of(context) else { return -1 }
                return unsafe source.pointee.seek(Int(offset), whence)
            },
            read: { destination, count, context in
                guard let destination = unsafe destination, let source = unsafe MemorySource.of(context) else { return 0 }
                return unsafe source.pointee.read(into: destination, count: Int(count))
            },
            write: { _, _, _ in 0 },
            tell: { context in unsafe sf_count_t(MemorySource.of(context)?.pointee.position ?? 0) })
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<MemorySource>? {
        unsafe context?.assumingMemoryBound(to: MemorySource.self)
    }

    /// `whence` as in lseek: 0 from the start, 1 from here, 2 from the end.
    mutating func seek(_ offset: Int, _ whence: Int32) -> sf_count_t {
        let base = whence == 0 ? 0 : whence == 1 ? position : bytes.count
        let (target, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, (0...bytes.count).contains(target) else { return -1 }
        position = target
        return sf_count_t(target)
    }

    mutating func read(into destination: UnsafeMutableRawPointer, count: Int) -> sf_count_t {
        let available = max(0, min(count, bytes.count - position))
        unsafe bytes.withUnsafeBytes { bytes in
            guard available > 0, let base = bytes.baseAddress else { return }
            unsafe destination.copyMemory(from: base + position, byteCount: available)
        }
        position += available
        return sf_count_t(available)
    }
}
