public import Addresses
internal import CLinux

/// Datagrams collected during a turn of a loop and sent with one system call.
///
/// Those of one length for one peer pass through the kernel's network layers together and are taken apart behind them (UDP
/// segmentation), which takes about half of the time.
@safe public struct SendBatch: ~Copyable {
    public let capacity: Int
    /// The longest datagram the batch takes.
    public let size: Int
    public private(set) var count = 0
    /// There is no room for another of any length.
    public private(set) var isFull = false
    private let outbox: OpaquePointer

    public init(capacity: Int = 64, size: Int = 2048) {
        precondition(capacity > 0 && capacity <= 1024 && size > 0, "a batch has room, and no more than one call can send")
        guard let outbox = unsafe tandem_outbox_create(Int32(capacity), size) else { preconditionFailure("out of memory") }
        unsafe self.outbox = outbox
        (self.capacity, self.size) = (capacity, size)
    }

    deinit { unsafe tandem_outbox_destroy(outbox) }

    public var isEmpty: Bool { count == 0 }

    /// Copies a datagram for `peer` (nil: the connected peer); false when it is too long or the batch is full.
    public mutating func append(_ bytes: Span<UInt8>, to peer: SocketAddress?) -> Bool {
        guard bytes.count <= size, let place = unsafe tandem_outbox_place(outbox) else { return false }
        unsafe bytes.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { unsafe place.update(from: start, count: source.count) }
        }
        if !bytes.isEmpty { keep(length: bytes.count, peer) }
        return true
    }

    public mutating func append(_ bytes: [UInt8], to peer: SocketAddress?) -> Bool { append(bytes.span, to: peer) }

    /// Lets `write` build a datagram in place; false when the batch is full. What is written is sent; nothing is nothing.
    ///
    /// A datagram may overtake those of other sequences that go to the same peer, and none of its own; one without a sequence none
    /// at all.
    public mutating func append<E: Error>(
        to peer: SocketAddress?, sequence: UInt64? = nil, _ write: (inout OutputSpan<UInt8>) throws(E) -> Void
    ) throws(E) -> Bool {
        guard let place = unsafe tandem_outbox_place(outbox) else { return false }
        let buffer = unsafe UnsafeMutableBufferPointer(start: place, count: size)
        var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
        try write(&output)
        let length = unsafe output.finalize(for: buffer)
        if length > 0 { keep(length: length, peer, sequence) }
        return true
    }

    private mutating func keep(length: Int, _ peer: SocketAddress?, _ sequence: UInt64? = nil) {
        let name = sequence.map { ($0 &* 0x9e37_79b9_7f4a_7c15) | 1 } ?? 0
        if let peer {
            var kernel = peer.kernelAddress
            unsafe tandem_outbox_keep(outbox, length, &kernel, name)
        } else {
            unsafe tandem_outbox_keep(outbox, length, nil, name)
        }
        count += 1
        isFull = unsafe tandem_outbox_place(outbox) == nil
    }

    /// What was appended last, as it will be sent; empty when nothing was.
    public var last: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            var length = 0
            let start = unsafe tandem_outbox_last(outbox, &length)
            let buffer = unsafe UnsafeBufferPointer(start: start, count: length)
            return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
        }
    }

    /// The number of datagrams the kernel did not take.
    mutating func flush(to descriptor: Int32) -> Int {
        guard count > 0 else { return 0 }
        defer { (count, isFull) = (0, false) }
        return count - Int(unsafe tandem_outbox_send(descriptor, outbox))
    }
}
