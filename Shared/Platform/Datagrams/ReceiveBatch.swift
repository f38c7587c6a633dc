public import Addresses
internal import CLinux

/// Memory for the datagrams of one read, allocated once and used for every socket of a thread.
@safe public struct ReceiveBatch: ~Copyable {
    /// One datagram, valid until the batch is filled again.
    public struct Datagram: ~Escapable {
        public let bytes: Span<UInt8>
        public let source: SocketAddress
        /// The datagram was longer than the batch's places: its end is lost.
        public let isTruncated: Bool

        @_lifetime(copy bytes)
        init(bytes: Span<UInt8>, source: SocketAddress, isTruncated: Bool) {
            (self.bytes, self.source, self.isTruncated) = (bytes, source, isTruncated)
        }
    }

    public let capacity: Int
    /// The longest datagram a place holds.
    public let size: Int
    /// How many datagrams the last read gave.
    public private(set) var count = 0
    private let memory: OpaquePointer
    private var received: [tandem_received]

    /// Room for `capacity` datagrams of at most `size` bytes: 2048 holds all RTP, 65535 all of UDP.
    public init(capacity: Int = 64, size: Int = 2048) {
        precondition(capacity > 0 && capacity <= 1024 && size > 0, "a batch has room, and no more than one call can fill")
        guard let memory = unsafe tandem_batch_create(Int32(capacity), size) else { preconditionFailure("out of memory") }
        unsafe self.memory = memory
        (self.capacity, self.size) = (capacity, size)
        received = Array(repeating: tandem_received(), count: capacity)
    }

    deinit { unsafe tandem_batch_destroy(memory) }

    public subscript(index: Int) -> Datagram {
        @_lifetime(borrow self)
        get {
            precondition(index >= 0 && index < count, "only what was received is read")
            let entry = received[index]
            let start = unsafe tandem_batch_bytes(memory, Int32(truncatingIfNeeded: index))
            let buffer = unsafe UnsafeBufferPointer(start: start, count: Int(entry.length))
            let bytes = unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
            return Datagram(bytes: bytes, source: SocketAddress(entry.source), isTruncated: entry.is_truncated != 0)
        }
    }

    /// The bytes of a datagram, to be changed where they lie.
    @_lifetime(&self)
    public mutating func mutableBytes(at index: Int) -> MutableSpan<UInt8> {
        precondition(index >= 0 && index < count, "only what was received is changed")
        let start = unsafe UnsafeMutablePointer(mutating: tandem_batch_bytes(memory, Int32(truncatingIfNeeded: index)))
        let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: Int(received[index].length))
        return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), mutating: &self)
    }

    /// The whole place of a datagram, with the room behind it, to be made into another where it lies.
    @_lifetime(&self)
    public mutating func mutablePlace(at index: Int) -> MutableSpan<UInt8> {
        precondition(index >= 0 && index < count, "only what was received is changed")
        let start = unsafe UnsafeMutablePointer(mutating: tandem_batch_bytes(memory, Int32(truncatingIfNeeded: index)))
        let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: size)
        return unsafe _overrideLifetime(MutableSpan(_unsafeElements: buffer), mutating: &self)
    }

    mutating func fillOne(from descriptor: Int32, of peer: SocketAddress) -> Bool {
        count = Int(unsafe tandem_batch_receive_one(descriptor, memory, &received))
        received[0].source = peer.kernelAddress
        return count == 1
    }

    mutating func fill(from descriptor: Int32, limit: Int) -> Int {
        count = Int(unsafe tandem_batch_receive(descriptor, memory, Int32(clamping: min(limit, capacity)), &received))
        return count
    }
}
