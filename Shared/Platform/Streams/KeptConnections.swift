public import Addresses
internal import Datagrams
public import Deadlines
public import Threads

/// Connections to a set of peers, made before they are needed and made again when they end. Loop thread only.
public final class KeptConnections {
    /// What is written to a silent peer so that it, or what is left of the way to it, has to say something.
    public struct KeepAlive: Sendable {
        public var bytes: [UInt8]
        public var interval: Interval

        public init(_ bytes: [UInt8], every interval: Interval) { (self.bytes, self.interval) = (bytes, interval) }
    }

    private struct Entry {
        var connection: StreamConnection?
        var openedAt: Instant?
        var backoff = Backoff(last: .seconds(30))
    }

    /// A connection that has lived so long is no failed attempt.
    private static let steady = Interval.seconds(2)

    private let loop: EventLoop
    private let limits: StreamLimits
    private let keepAlive: KeepAlive
    private let opened: (StreamConnection) -> Void
    private let lost: (SocketAddress) -> Void
    private var entries: [SocketAddress: Entry] = [:]

    /// `opened` hears of every connection before anything is received, `lost` of the end of one that was open.
    public init(
        loop: EventLoop, limits: StreamLimits, keepAlive: KeepAlive, opened: @escaping (StreamConnection) -> Void,
        lost: @escaping (SocketAddress) -> Void
    ) {
        (self.loop, self.limits, self.keepAlive, self.opened, self.lost) = (loop, limits, keepAlive, opened, lost)
    }

    /// The peers from now on: connections to others are closed.
    public func keep(_ peers: Set<SocketAddress>) {
        for peer in Array(entries.keys) where !peers.contains(peer) { letGo(peer) }
        for peer in peers where entries[peer] == nil {
            entries[peer] = Entry()
            connect(to: peer)
        }
    }

    /// The open connection to a peer.
    public subscript(peer: SocketAddress) -> StreamConnection? {
        guard let connection = entries[peer]?.connection, connection.isOpen else { return nil }
        return connection
    }

    /// A connection of ours was closed by its user: the next one follows.
    func hasClosed(_ connection: StreamConnection) {
        if entries[connection.peer]?.connection === connection { hasEnded(connection.peer) }
    }

    private func letGo(_ peer: SocketAddress) {
        guard let entry = entries.removeValue(forKey: peer) else { return }
        entry.connection?.close()
        if entry.openedAt != nil { lost(peer) }
    }

    private func connect(to peer: SocketAddress) {
        guard let entry = entries[peer], entry.connection == nil else { return }
        do throws(SocketError) {
            let connection = try StreamConnection.connect(to: peer, loop: loop, limits: limits)
            connection.onOpen = { [weak self, weak connection] in
                if let self, let connection { self.isOpen(connection) }
            }
            connection.onEnd = { [weak self] _ in self?.hasEnded(peer) }
            entries[peer]?.connection = connection
        } catch { hasEnded(peer) }
    }

    private func isOpen(_ connection: StreamConnection) {
        entries[connection.peer]?.openedAt = loop.now
        opened(connection)
        scheduleKeepAlive(connection)
    }

    private func hasEnded(_ peer: SocketAddress) {
        guard var entry = entries[peer] else { return }
        let openedAt = entry.openedAt
        (entry.connection, entry.openedAt) = (nil, nil)
        if let openedAt, loop.now - openedAt >= Self.steady { entry.backoff.reset() }
        let pause = entry.backoff.next(random: .random(in: .min ... .max))
        entries[peer] = entry
        if openedAt != nil { lost(peer) }
        loop.schedule(at: loop.now + pause) { [weak self] in self?.connect(to: peer) }
    }

    private func scheduleKeepAlive(_ connection: StreamConnection) {
        loop.schedule(at: loop.now + keepAlive.interval) { [weak self, weak connection] in
            guard let self, let connection, self.entries[connection.peer]?.connection === connection else { return }
            connection.write(self.keepAlive.bytes)
            self.scheduleKeepAlive(connection)
        }
    }
}
