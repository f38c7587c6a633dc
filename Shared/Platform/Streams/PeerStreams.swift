public import Addresses
public import Datagrams
public import Threads

/// The TCP side of a server on the inside network: the connections it keeps to its peers, those that they made to it, and those
/// that it makes for one message and whatever follows soon. Loop thread only.
public final class PeerStreams {
    private let listener: StreamListener
    private let accepted: Accepted
    private let kept: KeptConnections
    private let loop: EventLoop
    private let limits: StreamLimits
    private let opened: (StreamConnection) -> Void
    private var made: [SocketAddress: StreamConnection] = [:]

    private final class Accepted {
        var connections: [SocketAddress: StreamConnection] = [:]
    }

    /// `opened` sets what reads a connection, whoever made it; `changed` hears when one of those kept opens or ends.
    public init(
        listen address: SocketAddress, loop: EventLoop, limits: StreamLimits, keepAlive: KeptConnections.KeepAlive,
        opened: @escaping (StreamConnection) -> Void, changed: @escaping (SocketAddress, _ isOpen: Bool) -> Void
    ) throws(SocketError) {
        let accepted = Accepted()
        (self.accepted, self.loop, self.limits, self.opened) = (accepted, loop, limits, opened)
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

    /// The same for a peer that no connection is kept to: one is made, which ends when nobody has needed it for a while. False when
    /// it cannot be begun; `unreachable` hears when that turns out later.
    public func send(_ bytes: [UInt8], connectingTo peer: SocketAddress, unreachable: @escaping () -> Void) -> Bool {
        if let connection = connection(of: peer) ?? made[peer] { return connection.write(bytes) }
        do throws(SocketError) {
            let connection = try StreamConnection.connect(to: peer, loop: loop, limits: limits)
            let opened = opened
            connection.onOpen = { [unowned connection] in opened(connection) }
            connection.onEnd = { [weak self] end in
                self?.made[peer] = nil
                if case .failed = end { unreachable() }
            }
            made[peer] = connection
            return connection.write(bytes)
        } catch { return false }
    }

    /// Gives up a connection that cannot be read on.
    public func drop(_ connection: StreamConnection) {
        if made[connection.peer] === connection { made[connection.peer] = nil }
        if accepted.connections[connection.peer] === connection { accepted.connections[connection.peer] = nil }
        connection.close()
        kept.hasClosed(connection)
    }

    private func connection(of peer: SocketAddress) -> StreamConnection? { kept[peer] ?? accepted.connections[peer] }
}
