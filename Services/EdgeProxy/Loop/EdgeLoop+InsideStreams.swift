import Addresses
import Bytes
import Datagrams
import SIP
import Streams
import Telemetry
import Threads

/// What is too long for a datagram travels between edge and servers over connections, kept open and shared (RFC 3261 §18.1.1).
/// A server that takes none gets datagrams, as does everyone while a connection is away: what was in a broken one is lost, and
/// its sender repeats it.
extension EdgeLoop {
    /// A port for datagrams on which connections can be taken too.
    static func openInside(_ index: Int, _ settings: EdgeSettings) throws(SocketError) -> DatagramSocket {
        if let port = settings.insidePort(ofLoop: index) {
            do throws(SocketError) {
                return try openInside(port: port, settings)
            } catch {
                // Only a port that was asked for by name is worth failing for.
                guard settings.insidePort == 0 else { throw error }
            }
        }
        return try openInside(port: 0, settings)
    }

    private static func openInside(port: UInt16, _ settings: EdgeSettings) throws(SocketError) -> DatagramSocket {
        var attemptsLeft = port == 0 ? 8 : 1
        while true {
            let socket = try DatagramSocket(bind: SocketAddress(settings.inside, port: port), receiveBuffer: 4 << 20)
            do throws(SocketError) {
                try StreamListener(bind: socket.localAddress, loop: EventLoop(name: "probe")) { $0.close() }.close()
                return socket
            } catch {
                attemptsLeft -= 1
                guard attemptsLeft > 0 else { throw error }
            }
        }
    }

    func openInsideStreams() throws {
        // Zero is a figure, too.
        for counter in [InsideTraffic.sent, InsideTraffic.received, InsideTraffic.longDatagrams] { counter.add(0) }
        InsideTraffic.connections.add(0)
        do throws(SocketError) {
            insideStreams = try PeerStreams(
                listen: inside, loop: loop, limits: settings.insideStreams.limits,
                keepAlive: .init(MessageFramer.ping, every: settings.insideStreams.ping)
            ) { connection in
                self.read(connection)
            } changed: { _, isOpen in
                InsideTraffic.connections.add(isOpen ? 1 : -1)
            }
        } catch { throw EdgeSettings.Mistake(description: error.description(setting: "TANDEM_INSIDE_SIP_PORT")) }
    }

    /// A connection to every server there is.
    func keepConnections(to directory: Directory) {
        var servers: Set<SocketAddress> = []
        for server in directory.registrars { servers.insert(server.address) }
        for server in directory.callServers { servers.insert(server.address) }
        insideStreams?.keep(servers)
    }

    // MARK: Reading

    private func read(_ connection: StreamConnection) {
        var framer = MessageFramer()
        connection.onBytes = { [unowned connection] bytes in
            do throws(ParseError) {
                try framer.read(bytes) { connection.write($0) } take: { self.receiveInside($0, over: connection.peer) }
            } catch {
                // A stream that has lost its framing cannot be read on.
                Traffic.count(error)
                Traffic.count(.malformed)
                self.insideStreams?.drop(connection)
            }
        }
    }

    private func receiveInside(_ message: Message, over connection: SocketAddress) {
        InsideTraffic.received.add()
        if capture != nil { captureReceived(message.bytes.span, over: .tcp, fromInside: connection) }
        let view = message.view
        let origin = core.origin(of: view, from: connection)
        let trunks = placement.directory.trunks
        if origin.isHandedOver { return perform(core.receiveInside(view, from: origin.server, trunks: trunks), view, from: origin) }
        // A server is known by where it listens, not by the port it connected from.
        let server = view.isRequest ? SocketAddress(connection.address, port: view.topmostVia?.port ?? 5060) : connection
        let decision = core.receiveInside(view, from: server, connectedFrom: view.isRequest ? connection.port : nil, trunks: trunks)
        perform(decision, view, from: Origin(server: server, connection: connection))
    }

    // MARK: Writing

    /// Servers that are not ours get the response to a datagram as a datagram (§18.2.2).
    func goesOverStream(_ forwarding: Forwarding, to server: SocketAddress) -> Bool {
        guard forwarding.hop != nil || settings.alone == nil else { return false }
        guard insideStreams?.isConnected(to: server) == true else {
            InsideTraffic.longDatagrams.add()
            return false
        }
        return true
    }

    func sendOverStream(_ message: borrowing MessageView, _ forwarding: Forwarding, to server: SocketAddress) -> Bool {
        var forwarding = forwarding
        forwarding.hop?.transport = .tcp
        return answer(message, forwarding, to: server)
    }

    /// False when that connection is not there, or no longer.
    func answer(_ message: borrowing MessageView, _ forwarding: Forwarding, to connection: SocketAddress) -> Bool {
        guard insideStreams?.isConnected(to: connection) == true, let bytes = forwarding.bytes(of: message, key: core.tokenKey)
        else { return false }
        return sendInside(bytes, over: connection)
    }

    func sendInside(_ bytes: [UInt8], over connection: SocketAddress) -> Bool {
        guard insideStreams?.send(bytes, to: connection) == true else { return false }
        noteSent(bytes, over: connection)
        return true
    }

    /// Over a connection that is made for it: no loop keeps one to every other.
    func sendInside(_ bytes: [UInt8], connectingTo loop: SocketAddress) -> Bool {
        let isSent = insideStreams?.send(bytes, connectingTo: loop) {
            self.neighbours.refused(loop, now: self.loop.now)
        }
        guard isSent == true else { return false }
        noteSent(bytes, over: loop)
        return true
    }

    private func noteSent(_ bytes: [UInt8], over connection: SocketAddress) {
        InsideTraffic.sent.add()
        if capture != nil { captureSentInside(bytes, over: connection) }
    }
}

private enum InsideTraffic {
    private static func messages(_ direction: String) -> Counter {
        Counter(
            "tandem_edge_inside_stream_messages_total", "messages to and from servers over connections",
            labels: ["direction": direction])
    }

    static let connections = Gauge("tandem_edge_inside_connections", "connections kept to servers")
    static let sent = messages("sent")
    static let received = messages("received")
    static let longDatagrams = Counter(
        "tandem_edge_inside_long_datagrams_total", "datagrams longer than TANDEM_SIP_DATAGRAM_BYTES, for want of a connection")
}
