public import Addresses
public import Datagrams
internal import Deadlines
public import Threads

/// The TCP side of a server on the inside network: the connections it keeps to its peers, and those that they made to it.
/// Loop thread only.
public final class PeerStreams {
    private let listener: StreamListener
    private let accepted: Accepted
    private let kept: KeptConnections

    private final class Accepted {
        var connections: [SocketAddress: StreamConnection] = [:]
    }

    /// `opened` sets what reads a connection, whoever made it; `changed` hears when one of those kept opens or ends.
    public init(
        listen address: SocketAddress, loop: EventLoop, limits: StreamLimits = .inside, keepAlive: KeptConnections.KeepAlive,
        opened: @escaping (StreamConnection) -> Void, changed: @escaping (SocketAddress, _ isOpen: Bool) -> Void
    ) throws(SocketError) {
        let accepted = Accepted()
        self.accepted = accepted
        listener = try StreamListener(bind: address, loop: loop, limits: limits) { connection in
            let peer = connection.peer
            accepted.connections[peer] = connection
            connection.onEnd = { [weak accepted] _ in accepted?.connections[peer] = nil }
            opened(connection)
        }
        kept = KeptConnections(loop: loop, limits: limits, keepAlive: keepAlive) { connection in
            opened(connection)
            changed(connection.peer, true)
        } lost: { peer in changed(peer, false) }
    }

    /// Whom connections are kept to.
    public func keep(_ peers: Set<SocketAddress>) { kept.keep(peers) }

    /// Whether something can be written to this peer now.
    public func isConnected(to peer: SocketAddress) -> Bool { connection(of: peer) != nil }

    /// Writes to the connection of a peer, whoever made it; false when there is none that can take it.
    public func send(_ bytes: [UInt8], to peer: SocketAddress) -> Bool { connection(of: peer)?.write(bytes) ?? false }

    /// Gives up a connection that cannot be read on.
    public func drop(_ connection: StreamConnection) {
        if accepted.connections[connection.peer] === connection { accepted.connections[connection.peer] = nil }
        connection.close()
        kept.hasClosed(connection)
    }

    private func connection(of peer: SocketAddress) -> StreamConnection? { kept[peer] ?? accepted.connections[peer] }
}

extension StreamLimits {
    /// Between servers that trust each other: many messages share a connection, and keep-alives are never far apart.
    public static let inside: StreamLimits = {
        var limits = StreamLimits()
        limits.queuedBytes = 4 << 20
        limits.idle = .seconds(120)
        return limits
    }()
}
