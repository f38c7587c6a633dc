public import Addresses
internal import CLinux
internal import Glibc

/// What became of a datagram handed to the kernel.
public enum SendOutcome: Hashable, Sendable {
    case sent
    /// The send buffer is full. A datagram is not kept: whoever needs it sends it again by its own timer.
    case wouldBlock
    /// Longer than a datagram may be: use a stream.
    case tooLong
    case failed(SocketError)
}

/// A non-blocking UDP socket of one thread, read and written in batches.
///
/// Watch `descriptor` on an event loop and call `receive` until it gives fewer datagrams than the batch holds.
public struct DatagramSocket: ~Copyable {
    public let descriptor: Int32
    public let localAddress: SocketAddress

    /// Opens the socket; port 0 lets the system choose. With `reusePort` several threads share one port, and the kernel
    /// spreads the senders over them.
    public init(bind address: SocketAddress, reusePort: Bool = false, receiveBuffer: Int = 1 << 20) throws(SocketError) {
        var kernel = address.kernelAddress
        let opened = unsafe tandem_udp_open(&kernel, reusePort ? 1 : 0, Int32(clamping: receiveBuffer))
        guard opened >= 0 else { throw SocketError(.udp, address, code: -opened) }
        let read = unsafe tandem_local_address(opened, &kernel)
        precondition(read == 0, "a bound socket has an address")
        (descriptor, localAddress) = (opened, SocketAddress(kernel))
    }

    /// Goes on with a socket that another process opened; nil when the descriptor is none. It is this value's from here on.
    public init?(adopting descriptor: Int32) {
        var kernel = tandem_address()
        guard unsafe tandem_local_address(descriptor, &kernel) == 0 else { return nil }
        (self.descriptor, localAddress) = (descriptor, SocketAddress(kernel))
    }

    deinit { close(descriptor) }

    /// How routers are to treat what is sent (RFC 2474): six bits.
    public func mark(dscp: Int) throws(SocketError) {
        let result = tandem_udp_set_dscp(descriptor, localAddress.address.isIPv4 ? 1 : 0, Int32(clamping: max(0, min(63, dscp))))
        guard result == 0 else { throw SocketError(.udp, localAddress, code: -result) }
    }

    /// Takes datagrams from `peer` only, and sends faster to it. May be called again with another peer.
    public func connect(to peer: SocketAddress) throws(SocketError) {
        var kernel = peer.kernelAddress
        let result = unsafe tandem_udp_connect(descriptor, &kernel)
        guard result == 0 else { throw SocketError(.udp, peer, code: -result) }
    }

    /// Takes datagrams from everybody again; what waits stays.
    public func disconnect() throws(SocketError) {
        let result = tandem_udp_disconnect(descriptor)
        guard result == 0 else { throw SocketError(.udp, localAddress, code: -result) }
    }

    /// That of a socket bound to every address is known once it is connected.
    public var currentAddress: SocketAddress? {
        var kernel = tandem_address()
        return unsafe tandem_local_address(descriptor, &kernel) == 0 ? SocketAddress(kernel) : nil
    }

    /// Whom alone it takes datagrams from.
    public var peer: SocketAddress? {
        var kernel = tandem_address()
        return unsafe tandem_udp_peer(descriptor, &kernel) == 0 ? SocketAddress(kernel) : nil
    }

    /// Reads what waits, at most `limit` datagrams; 0 when nothing does. A socket that rarely has more than one waiting
    /// is read faster with a limit of 1.
    @discardableResult
    public func receive(into batch: inout ReceiveBatch, limit: Int = .max) -> Int {
        batch.fill(from: descriptor, limit: limit)
    }

    /// Whether there is something to read.
    public var hasWaiting: Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&waiting, 1, 0) != 0
    }

    /// Reads one datagram of a socket that is connected to `peer`, which the kernel need not tell; false when there is none.
    public func receive(into batch: inout ReceiveBatch, from peer: SocketAddress) -> Bool { batch.fillOne(from: descriptor, of: peer) }

    /// Sends to `peer`, or, without one, to the connected peer.
    @discardableResult
    public func send(_ bytes: Span<UInt8>, to peer: SocketAddress? = nil) -> SendOutcome {
        let result = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let peer else { return unsafe tandem_udp_send(descriptor, buffer.baseAddress, buffer.count, nil) }
            var kernel = peer.kernelAddress
            return unsafe tandem_udp_send(descriptor, buffer.baseAddress, buffer.count, &kernel)
        }
        switch -result {
        case 0: return .sent
        case EAGAIN, ENOBUFS: return .wouldBlock
        case EMSGSIZE: return .tooLong
        default: return .failed(SocketError(.udp, peer ?? localAddress, code: -result))
        }
    }

    @discardableResult
    public func send(_ bytes: [UInt8], to peer: SocketAddress? = nil) -> SendOutcome { send(bytes.span, to: peer) }

    /// Sends all that was appended and empties the batch; the number of datagrams the kernel did not take.
    @discardableResult
    public func send(_ batch: inout SendBatch) -> Int { batch.flush(to: descriptor) }
}
