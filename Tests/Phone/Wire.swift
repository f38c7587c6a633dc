import Addresses
import Datagrams
import SIP
import Streams
import Threads

/// How a phone's messages travel: a UDP socket, or one TCP connection to its proxy. Loop thread only.
protocol Wire: AnyObject {
    var localAddress: SocketAddress { get }
    var transport: Transport { get }
    /// False when there is no way to send any more.
    func send(_ bytes: [UInt8], to destination: SocketAddress) -> Bool
    func close()
}

/// SIP over UDP: one message per datagram (RFC 3261 §18.3).
final class DatagramWire: Wire {
    let transport = Transport.udp
    private let loop: EventLoop
    /// Stays open as long as the loop watches it, so that its number cannot belong to another socket meanwhile.
    private final class Endpoint: @unchecked Sendable {
        // Sendable: used on the loop's thread; the last one to let go of it only closes the descriptor.
        let socket: DatagramSocket
        init(_ socket: consuming DatagramSocket) { self.socket = socket }
    }

    private let endpoint: Endpoint
    private var batch = ReceiveBatch(capacity: 4, size: 16 * 1024)
    private let receive: (Message, SocketAddress) -> Void

    init(loop: EventLoop, local: IPAddress, receive: @escaping (Message, SocketAddress) -> Void) throws {
        (self.loop, self.receive) = (loop, receive)
        let endpoint = Endpoint(try DatagramSocket(bind: SocketAddress(local, port: 0)))
        self.endpoint = endpoint
        loop.watch(endpoint.socket.descriptor, .read) { [weak self, endpoint] _ in
            _ = endpoint
            self?.read()
        }
    }

    /// A phone that is dropped without having left is no longer listened to either.
    deinit { loop.post { [loop, endpoint] in loop.unwatch(endpoint.socket.descriptor) } }

    var localAddress: SocketAddress { endpoint.socket.localAddress }

    func send(_ bytes: [UInt8], to destination: SocketAddress) -> Bool {
        // A full send buffer is a lost datagram: the transaction sends it again.
        if case .failed = endpoint.socket.send(bytes, to: destination) { return false }
        return true
    }

    func close() { loop.unwatch(endpoint.socket.descriptor) }

    private func read() {
        let count = endpoint.socket.receive(into: &batch)
        for index in 0..<count {
            guard let message = try? Message.parse(copy(batch[index].bytes)) else { continue }
            receive(message, batch[index].source)
        }
    }
}

/// SIP over one connection to the proxy: TCP, TLS, WS or WSS; answers the keep-alives of RFC 5626 §3.5.1.
final class StreamWire: Wire {
    let transport: Transport
    let localAddress: SocketAddress
    private let connection: StreamConnection
    private let layers: StreamLayers
    private var framer = MessageFramer()
    /// What was to be sent before TLS and WebSocket were ready for it.
    private var waiting: [[UInt8]] = []

    init(
        loop: EventLoop, _ settings: PhoneSettings, layers: StreamLayers,
        receive: @escaping (Message, SocketAddress) -> Void, ended: @escaping (StreamEnd) -> Void
    ) throws {
        (transport, self.layers) = (settings.transport, layers)
        let local = SocketAddress(settings.local, port: 0)
        connection = try StreamConnection.connect(to: settings.proxy, from: local, loop: loop)
        localAddress = connection.localAddress ?? local
        connection.onEnd = ended
        connection.onBytes = { [weak self] bytes in
            self?.read(copy(bytes), receive, ended)
        }
        let hello = layers.start()
        if !hello.isEmpty { connection.write(hello) }
    }

    func send(_ bytes: [UInt8], to destination: SocketAddress) -> Bool {
        guard layers.isReady else {
            waiting.append(bytes)
            return true
        }
        return layers.wrapped(bytes).map { connection.write($0) } ?? false
    }

    func close() { connection.finish() }

    private func read(_ bytes: [UInt8], _ receive: (Message, SocketAddress) -> Void, _ ended: (StreamEnd) -> Void) {
        let incoming = layers.unwrap(bytes)
        if !incoming.answer.isEmpty { connection.write(incoming.answer) }
        if layers.isReady {
            for bytes in waiting { _ = send(bytes, to: connection.peer) }
            waiting = []
        }
        do {
            for message in incoming.messages where !Message.isKeepAlive(message) {
                receive(try Message.parse(message), connection.peer)
            }
            framer.append(incoming.stream)
            while let output = try framer.next() {
                switch output {
                case .message(let message): receive(message, connection.peer)
                case .ping: _ = send([13, 10], to: connection.peer)
                case .pong: break
                }
            }
            guard incoming.isOver else { return }
        } catch {}
        connection.close()
        ended(.closedByPeer)
    }
}

private func copy(_ bytes: Span<UInt8>) -> [UInt8] { bytes.indices.map { bytes[$0] } }
