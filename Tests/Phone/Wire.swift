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
    private let socket: DatagramSocket
    private var batch = ReceiveBatch(capacity: 4, size: 16 * 1024)
    private let receive: (Message, SocketAddress) -> Void

    init(loop: EventLoop, local: IPAddress, receive: @escaping (Message, SocketAddress) -> Void) throws {
        (self.loop, self.receive) = (loop, receive)
        socket = try DatagramSocket(bind: SocketAddress(local, port: 0))
        loop.watch(socket.descriptor, .read) { [weak self] _ in self?.read() }
    }

    var localAddress: SocketAddress { socket.localAddress }

    func send(_ bytes: [UInt8], to destination: SocketAddress) -> Bool {
        // A full send buffer is a lost datagram: the transaction sends it again.
        if case .failed = socket.send(bytes, to: destination) { return false }
        return true
    }

    func close() { loop.unwatch(socket.descriptor) }

    private func read() {
        let count = socket.receive(into: &batch)
        for index in 0..<count {
            guard let message = try? Message.parse(copy(batch[index].bytes)) else { continue }
            receive(message, batch[index].source)
        }
    }
}

/// SIP over TCP, framed by Content-Length; answers the keep-alives of RFC 5626 §3.5.1.
final class StreamWire: Wire {
    let transport = Transport.tcp
    let localAddress: SocketAddress
    private let connection: StreamConnection
    private var framer = MessageFramer()

    init(
        loop: EventLoop, local: IPAddress, proxy: SocketAddress, receive: @escaping (Message, SocketAddress) -> Void,
        ended: @escaping (StreamEnd) -> Void
    ) throws {
        connection = try StreamConnection.connect(to: proxy, from: SocketAddress(local, port: 0), loop: loop)
        localAddress = connection.localAddress ?? SocketAddress(local, port: 0)
        connection.onEnd = ended
        connection.onBytes = { [weak self] bytes in
            self?.read(copy(bytes), receive, ended)
        }
    }

    func send(_ bytes: [UInt8], to destination: SocketAddress) -> Bool { connection.write(bytes) }

    func close() { connection.finish() }

    private func read(_ bytes: [UInt8], _ receive: (Message, SocketAddress) -> Void, _ ended: (StreamEnd) -> Void) {
        framer.append(bytes)
        do {
            while let output = try framer.next() {
                switch output {
                case .message(let message): receive(message, connection.peer)
                case .ping: connection.write([13, 10])
                case .pong: break
                }
            }
        } catch {
            connection.close()
            ended(.closedByPeer)
        }
    }
}

private func copy(_ bytes: Span<UInt8>) -> [UInt8] { bytes.indices.map { bytes[$0] } }
