import Addresses
import Bytes
import Deadlines
import SIP
import ServiceKit
import Streams

/// What is too long for a datagram travels between the edges and this server over connections (RFC 3261 §18.1.1).
extension RegistrarServer {
    private static let edgesAge = Interval.milliseconds(100)

    func openStreams(_ fleet: Fleet) throws {
        // Zero is a figure, too.
        for counter in [Self.overStreams, Self.longDatagrams] { counter.add(0) }
        streams = try PeerStreams(
            listen: address, loop: loop, limits: streamSettings.limits,
            keepAlive: .init(MessageFramer.ping, every: streamSettings.ping)
        ) { connection in
            self.read(connection)
        } changed: { peer, isOpen in
            if isOpen { self.layer.connected.insert(peer) } else { self.layer.connected.remove(peer) }
        }
        keepEdges(of: fleet)
    }

    private func keepEdges(of fleet: Fleet) {
        edges = EdgeTable(fleet)
        streams?.keep(edges.living)
        loop.schedule(at: loop.now + Self.edgesAge) { self.keepEdges(of: fleet) }
    }

    private func read(_ connection: StreamConnection) {
        var framer = MessageFramer()
        connection.onBytes = { [unowned connection] bytes in
            do throws(ParseError) {
                try framer.read(bytes) { connection.write($0) } take: { self.receive($0, over: connection.peer) }
            } catch {
                Self.malformed.add()
                self.streams?.drop(connection)
            }
        }
    }

    private func receive(_ message: Message, over connection: SocketAddress) {
        Self.overStreams.add()
        layer.receive(message, from: connection, over: .tcp, now: loop.now, into: &outbox)
        drain()
    }

    /// Over its connection while that is there, else as a datagram; what is meant for a dead edge by way of another.
    func send(_ datagram: SIP.Outbox.Datagram) {
        if let connection = datagram.connection, streams?.send(datagram.bytes, to: connection) == true { return }
        if datagram.bytes.count > layer.longestDatagram { Self.longDatagrams.add() }
        _ = socket.send(datagram.bytes, to: edges.nextHop(of: datagram.bytes, to: datagram.to))
    }
}
