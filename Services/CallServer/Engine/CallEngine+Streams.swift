import Addresses
import Bytes
import SIP
import Streams
import Telemetry

/// What is too long for a datagram travels between the edges and this server over connections (RFC 3261 §18.1.1).
extension CallEngine {
    func openStreams() throws {
        // Zero is a figure, too.
        for counter in [Counters.overStreams, Counters.longDatagrams, Counters.unsent] { counter.add(0) }
        streams = try PeerStreams(
            listen: address, loop: loop, limits: settings.streams.limits,
            keepAlive: .init(MessageFramer.ping, every: settings.streams.ping)
        ) { connection in
            self.read(connection)
        } changed: { peer, isOpen in
            if isOpen { self.layer.connected.insert(peer) } else { self.layer.connected.remove(peer) }
        }
    }

    private func read(_ connection: StreamConnection) {
        var framer = MessageFramer()
        connection.onBytes = { [unowned connection] bytes in
            do throws(ParseError) {
                try framer.read(bytes) { connection.write($0) } take: { self.receive($0, over: connection.peer) }
            } catch {
                Counters.malformed.add()
                self.streams?.drop(connection)
            }
        }
    }

    private func receive(_ message: Message, over connection: SocketAddress) {
        Counters.overStreams.add()
        let arrived = Parked(message: message, source: connection, arrival: .tcp)
        guard mayAct() else { return frozenMessages.append(arrived) }
        deliver(arrived)
    }

    /// Over its connection while that is there, else as a datagram; what is meant for a dead edge by way of another.
    func send(_ datagram: SIP.Outbox.Datagram) {
        if let connection = datagram.connection, streams?.send(datagram.bytes, to: connection) == true {
            return trace(sent: datagram.bytes, to: connection)
        }
        if datagram.bytes.count > settings.longestDatagram { Counters.longDatagrams.add() }
        let hop = edges.nextHop(of: datagram.bytes, to: datagram.to)
        trace(sent: datagram.bytes, to: hop)
        guard case .sent = socket.send(datagram.bytes, to: hop) else { return Counters.unsent.add() }
    }
}
