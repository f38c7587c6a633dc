public import Addresses
internal import CLinux

/// Datagrams collected during a turn of a loop and sent with one system call.
@safe public struct SendBatch: ~Copyable {
    public let capacity: Int
    /// The longest datagram the batch takes.
    public let size: Int
    public private(set) var count = 0
    private let memory: OpaquePointer

    public init(capacity: Int = 64, size: Int = 2048) {
        precondition(capacity > 0 && capacity <= 1024 && size > 0, "a batch has room, and no more than one call can send")
        guard let memory = unsafe tandem_batch_create(Int32(capacity), size) else { preconditionFailure("out of memory") }
        unsafe self.memory = memory
        (self.capacity, self.size) = (capacity, size)
    }

    deinit { unsafe tandem_batch_destroy(memory) }

    public var isEmpty: Bool { count == 0 }
    public var isFull: Bool { count == capacity }

    /// Copies a datagram for `peer` (nil: the connected peer); false when it is too long or the batch is full.
    public mutating func append(_ bytes: Span<UInt8>, to peer: SocketAddress?) -> Bool {
        guard bytes.count <= size, count < capacity else { return false }
        let place = unsafe tandem_batch_bytes(memory, Int32(truncatingIfNeeded: count))
        unsafe bytes.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { unsafe place?.update(from: start, count: source.count) }
        }
        complete(length: bytes.count, peer)
        return true
    }

    public mutating func append(_ bytes: [UInt8], to peer: SocketAddress?) -> Bool { append(bytes.span, to: peer) }

    /// Lets `write` build a datagram in place; false when the batch is full. What is written is sent; nothing is nothing.
    public mutating func append<E: Error>(
        to peer: SocketAddress?, _ write: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws(E) -> Bool {
        guard count < capacity else { return false }
        let place = Int32(truncatingIfNeeded: count)
        let buffer = unsafe UnsafeMutableBufferPointer(start: tandem_batch_bytes(memory, place), count: size)
        var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        try write(&output)
        let length = unsafe output.finalize(for: buffer)
        complete(length: length, peer)
        return true
    }

    private mutating func complete(length: Int, _ peer: SocketAddress?) {
        guard length > 0 else { return }
        let place = Int32(truncatingIfNeeded: count)
        if let peer {
            var kernel = peer.kernelAddress
            unsafe tandem_batch_address(memory, place, length, &kernel)
        } else {
            unsafe tandem_batch_address(memory, place, length, nil)
        }
        count += 1
    }

    mutating func flush(to descriptor: Int32) -> Int {
        guard count > 0 else { return 0 }
        defer { count = 0 }
        return count - Int(unsafe tandem_batch_send(descriptor, memory, Int32(truncatingIfNeeded: count)))
    }
}
