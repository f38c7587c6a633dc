public import Addresses
internal import CLinux
public import Datagrams
internal import Deadlines
internal import Glibc
public import Threads

/// A TCP port on an event loop: accepts connections up to its caps and gives each to `accept`.
///
/// The listener keeps the connections alive until they end. Loop thread only.
public final class StreamListener {
    public let localAddress: SocketAddress
    /// Connections that were closed at once because the cap was reached.
    public private(set) var refused = 0

    private let descriptor: Int32
    private let loop: EventLoop
    private let limits: StreamLimits
    private let accept: (StreamConnection) -> Void
    private var connections: [StreamConnection.ID: StreamConnection] = [:]
    private var isClosed = false

    public init(
        bind address: SocketAddress, loop: EventLoop, reusePort: Bool = false, limits: StreamLimits = StreamLimits(),
        accept: @escaping (StreamConnection) -> Void
    ) throws(SocketError) {
        var kernel = address.kernelAddress
        let opened = unsafe tandem_tcp_listen(&kernel, reusePort ? 1 : 0, 1024)
        guard opened >= 0 else { throw SocketError(.tcp, address, code: -opened) }
        let read = unsafe tandem_local_address(opened, &kernel)
        precondition(read == 0, "a listening socket has an address")
        (descriptor, localAddress) = (opened, SocketAddress(kernel))
        (self.loop, self.limits, self.accept) = (loop, limits, accept)
        loop.watch(descriptor, .read) { [weak self] _ in self?.acceptWaiting() }
    }

    deinit {
        if !isClosed { loop.retire(descriptor) }
    }

    public var connectionCount: Int { connections.count }

    /// Accepts no more; connections that are open stay so.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        loop.unwatch(descriptor)
        Glibc.close(descriptor)
    }

    /// Closes every open connection; their `onEnd` is not called.
    public func closeConnections() {
        for connection in Array(connections.values) { connection.close() }
    }

    private func acceptWaiting() {
        // A bound per turn, so that a flood of connections does not starve those that are open.
        for _ in 0..<64 {
            var kernel = tandem_address()
            let accepted = unsafe tandem_tcp_accept(descriptor, &kernel)
            if accepted < 0 {
                if accepted != -EAGAIN { pause() }
                return
            }
            let peer = SocketAddress(kernel)
            guard connections.count < limits.connections else {
                refused += 1
                Glibc.close(accepted)
                continue
            }
            open(accepted, peer: peer)
            if isClosed { return }
        }
    }

    private func open(_ accepted: Int32, peer: SocketAddress) {
        let connection = StreamConnection(descriptor: accepted, peer: peer, loop: loop, limits: limits, isOpen: true)
        let id = connection.id
        connections[id] = connection
        connection.onRelease = { [weak self] in self?.connections[id] = nil }
        accept(connection)
    }

    /// Without a free descriptor the waiting connection stays in the queue and would wake the loop for ever.
    private func pause() {
        loop.change(descriptor, [])
        loop.schedule(at: loop.now + .milliseconds(100)) { [weak self] in
            guard let self, !self.isClosed else { return }
            self.loop.change(self.descriptor, .read)
        }
    }
}
