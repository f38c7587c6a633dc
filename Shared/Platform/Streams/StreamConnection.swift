public import Addresses
internal import CLinux
public import Datagrams
internal import Deadlines
internal import Glibc
internal import Synchronization
public import Threads

/// One TCP connection on an event loop, accepted by a `StreamListener` or made by `connect`.
///
/// Everything happens on the loop's thread. Set `onBytes` and `onEnd` where the connection is received; after its end the
/// callbacks are let go. A peer costs at most what `StreamLimits` says.
public final class StreamConnection {
    /// Names a connection; never used twice in the life of a process.
    public struct ID: Hashable, Sendable {
        public let number: UInt64
    }

    private enum State: Equatable {
        /// `finish`: close as soon as the connection is there and what was written has been sent.
        case connecting(finish: Bool)
        case open, finishing, ended
    }

    public let id: ID
    public let peer: SocketAddress
    public let loop: EventLoop
    /// What has been received: any number of bytes, cut anywhere, valid during the call.
    public var onBytes: ((Span<UInt8>) -> Void)?
    /// A connection made by `connect` is there.
    public var onOpen: (() -> Void)?
    /// Called once, unless the end was asked for by `close` or `finish`.
    public var onEnd: ((StreamEnd) -> Void)?

    /// For the listener, which counts: called at every end.
    var onRelease: (() -> Void)?
    private let descriptor: Int32
    private let limits: StreamLimits
    private var state: State
    private var queue = WriteQueue()
    private var lastReceived: Instant
    private var timer: EventLoop.Timer?

    private static let nextNumber = Atomic<UInt64>(1)
    private static let readLength = 16 * 1024

    init(descriptor: Int32, peer: SocketAddress, loop: EventLoop, limits: StreamLimits, isOpen: Bool) {
        id = ID(number: Self.nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue)
        (self.descriptor, self.peer, self.loop, self.limits) = (descriptor, peer, loop, limits)
        state = isOpen ? .open : .connecting(finish: false)
        lastReceived = loop.now
        loop.watch(descriptor, isOpen ? .read : .write) { [weak self] readiness in self?.ready(readiness) }
        arm(at: lastReceived + (isOpen ? limits.idle : limits.connecting))
    }

    deinit {
        if state != .ended { loop.retire(descriptor) }
    }

    /// Starts connecting; `onOpen` or `onEnd` follows. What is written meanwhile is kept.
    public static func connect(
        to peer: SocketAddress, from local: SocketAddress? = nil, loop: EventLoop, limits: StreamLimits = StreamLimits()
    ) throws(SocketError) -> StreamConnection {
        var kernelPeer = peer.kernelAddress
        let descriptor: Int32
        if let local {
            var kernelLocal = local.kernelAddress
            descriptor = unsafe tandem_tcp_connect(&kernelPeer, &kernelLocal)
        } else {
            descriptor = unsafe tandem_tcp_connect(&kernelPeer, nil)
        }
        guard descriptor >= 0 else { throw SocketError(.tcp, peer, code: -descriptor) }
        if let bytes = limits.sendBuffer {
            // Without it the connection is only less prompt.
            var size = Int32(clamping: bytes)
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        return StreamConnection(descriptor: descriptor, peer: peer, loop: loop, limits: limits, isOpen: false)
    }

    public var isOpen: Bool { state == .open }

    /// Bytes that the peer has not taken yet.
    public var queuedCount: Int { queue.count }

    /// The address of this end; nil after the end.
    public var localAddress: SocketAddress? {
        var kernel = tandem_address()
        guard state != .ended, unsafe tandem_local_address(descriptor, &kernel) == 0 else { return nil }
        return SocketAddress(kernel)
    }

    /// Sends, or keeps what the peer does not take yet; false when the connection is over, or is over now because the peer
    /// is too slow.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        switch state {
        case .finishing, .ended, .connecting(finish: true): return false
        case .open where queue.isEmpty:
            let sent = send(bytes.span)
            guard state == .open else { return false }
            if sent == bytes.count { return true }
            return keep(bytes[sent...])
        case .open, .connecting(finish: false): break
        }
        return keep(bytes[...])
    }

    /// Closes after what is queued has been sent (or its peer was idle for too long).
    public func finish() {
        guard !queue.isEmpty else { return close() }
        switch state {
        case .open: state = .finishing
        case .connecting: state = .connecting(finish: true)
        case .finishing, .ended: return
        }
        (onBytes, onOpen, onEnd) = (nil, nil, nil)
        if state == .finishing { arm(at: loop.now + limits.finishing) }
    }

    /// Closes now; what is queued is lost.
    public func close() {
        onEnd = nil
        end(.closedByPeer)
    }

    private func keep(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard queue.count + bytes.count <= limits.queuedBytes else {
            end(.slowPeer)
            return false
        }
        queue.append(bytes)
        if state == .open { loop.change(descriptor, [.read, .write]) }
        return true
    }

    private func ready(_ readiness: Readiness) {
        if case .connecting(let finish) = state { return connected(thenFinish: finish) }
        if readiness.contains(.write) { flush() }
        if readiness.contains(.read), state != .ended { receive() }
    }

    private func connected(thenFinish finish: Bool) {
        let code = tandem_socket_error(descriptor)
        guard code == 0 else { return end(.failed(SocketError(.tcp, peer, code: code))) }
        state = finish ? .finishing : .open
        lastReceived = loop.now
        arm(at: lastReceived + (finish ? limits.finishing : limits.idle))
        loop.change(descriptor, queue.isEmpty ? .read : [.read, .write])
        onOpen?()
    }

    private func flush() {
        queue.drain { send($0) }
        guard state != .ended, queue.isEmpty else { return }
        if state == .finishing { close() } else { loop.change(descriptor, .read) }
    }

    private func receive() {
        // Held for this call only: an idle connection costs no buffer.
        var length = 0
        let received = unsafe [UInt8](unsafeUninitializedCapacity: Self.readLength) { buffer, count in
            length = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            count = max(length, 0)
        }
        if length > 0 {
            lastReceived = loop.now
            onBytes?(received.span)
        } else if length == 0 {
            end(.closedByPeer)
        } else if errno != EAGAIN, errno != EINTR {
            end(.failed(SocketError(.tcp, peer, code: errno)))
        }
    }

    /// How much the kernel took; ends the connection when it is broken.
    private func send(_ bytes: Span<UInt8>) -> Int {
        let sent = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe Glibc.send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
        }
        if sent >= 0 { return sent }
        if errno != EAGAIN, errno != EINTR { end(.failed(SocketError(.tcp, peer, code: errno))) }
        return 0
    }

    private func arm(at deadline: Instant) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(at: deadline) { [weak self] in self?.checkIdle() }
    }

    /// The timer is not moved at every read: when it fires early it is set again for the rest.
    private func checkIdle() {
        guard state != .ended else { return }
        if case .connecting = state { return end(.failed(SocketError(.tcp, peer, code: ETIMEDOUT))) }
        // Who is sent away and does not read the goodbye is not waited for, whatever it sends.
        if state == .finishing { return end(.slowPeer) }
        let deadline = lastReceived + limits.idle
        if loop.now >= deadline { end(.idle) } else { arm(at: deadline) }
    }

    private func end(_ reason: StreamEnd) {
        guard state != .ended else { return }
        state = .ended
        loop.unwatch(descriptor)
        Glibc.close(descriptor)
        if let timer { loop.cancel(timer) }
        let (told, released) = (onEnd, onRelease)
        (onBytes, onOpen, onEnd, onRelease) = (nil, nil, nil, nil)
        released?()
        told?(reason)
    }
}
