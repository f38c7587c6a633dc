import Bytes
import Deadlines
import SIP
import Streams
import TLS
import WebSocket

/// Phones on connections: TCP, TLS, WebSocket, and WebSocket over TLS (RFC 3261 §18, RFC 7118).
extension EdgeLoop {
    func accept(_ connection: StreamConnection, _ transport: Transport) {
        let isSecure = transport == .tls || transport == .wss
        guard !isSecure || certificate != nil else { return connection.close() }
        if let reason = admission.open(admission.source(connection.peer.address), now: loop.now) {
            Traffic.count(reason)
            return connection.close()
        }
        let tls = isSecure ? certificate.map { TLSSession($0) } : nil
        let isWebSocket = transport == .ws || transport == .wss
        let policy = ServerConnection.Policy(
            subprotocol: "sip", origins: settings.webSocketOrigins, messageLength: Limits.outside.messageLength)
        let peer = StreamPeer(connection, transport, tls: tls, webSocket: isWebSocket ? ServerConnection(policy) : nil)
        let number = UInt32(truncatingIfNeeded: connection.id.number)
        peers[number] = peer
        Traffic.connected(transport, by: 1)
        connection.onBytes = { bytes in self.received(bytes.array(), on: number) }
        connection.onEnd = { _ in self.forget(number) }
        // Who connects and says nothing holds a place that a phone could have; this bounds every handshake too.
        loop.schedule(at: loop.now + settings.greeting) {
            if self.peers[number]?.hasGreeted == false { self.close(number, .silent) }
        }
        watchPace(peer, number)
        if isWebSocket { schedulePing(number) }
    }

    private func received(_ bytes: [UInt8], on number: UInt32) {
        guard let peer = peers[number] else { return }
        let source = peer.connection.peer
        if admission.isBanned(source.address, now: loop.now) {
            Traffic.count(.banned)
            return close(number, nil)
        }
        let received = peer.receive(bytes)
        let arrival = Arrival(
            source: source, transport: peer.transport, connection: number, certificateNames: peer.verifiedNames, received: loop.now)
        if let handshake = received.handshake { Traffic.count(handshake) }
        for event in received.events {
            switch event {
            case .message(let message):
                peer.hasGreeted = true
                receiveOutside(message, arrival)
            case .ping:
                Traffic.keepAlives.add()
                peer.send([13, 10])
            case .pong:
                Traffic.keepAlives.add()
            case .malformed(let error, let bytes):
                Traffic.count(error)
                refuse(bytes, error, arrival)
                receivedMalformed(arrival)
            }
        }
        if received.isOver { return close(number, received.failure) }
        watchPace(peer, number)
    }

    /// Closes who has begun something and does not bring it to its end; one timer per connection at most.
    private func watchPace(_ peer: StreamPeer, _ number: UInt32) {
        guard !peer.isWatched, let limit = settings.pace(peer.phase) else { return }
        peer.isWatched = true
        // By its number, which is never given twice: what the timer held would outlive its connection.
        loop.schedule(at: max(peer.since + limit, loop.now)) {
            guard let peer = self.peers[number] else { return }
            peer.isWatched = false
            guard let limit = self.settings.pace(peer.phase), self.loop.now >= peer.since + limit else {
                return self.watchPace(peer, number)
            }
            self.close(number, .slow)
        }
    }

    /// Keeps the way through firewalls open, and finds out which clients are gone without a word (RFC 6455 §5.5.2).
    private func schedulePing(_ number: UInt32) {
        loop.schedule(at: loop.now + settings.webSocketPing) {
            guard let peer = self.peers[number] else { return }
            guard peer.isAlive else { return self.close(number, .silent) }
            peer.isAlive = false
            peer.ping()
            self.schedulePing(number)
        }
    }

    /// False when there is no such connection: it ended, or its number is from an earlier life of this port.
    func writeStream(_ bytes: [UInt8], _ token: FlowToken) -> Bool {
        guard token.inside == inside, token.generation == core.configuration.generation, let peer = peers[token.connection],
            peer.connection.peer == token.remote, peer.transport == token.transport
        else { return false }
        return send(bytes, on: peer)
    }

    /// An answer to what came over this connection.
    func sendOutside(_ bytes: [UInt8], on number: UInt32) {
        if let peer = peers[number] { _ = send(bytes, on: peer) }
    }

    private func send(_ bytes: [UInt8], on peer: StreamPeer) -> Bool {
        guard peer.send(bytes) else { return false }
        if capture != nil { captureSent(bytes, on: peer) }
        return true
    }

    private func close(_ number: UInt32, _ failure: StreamPeer.Failure?) {
        if let failure { Traffic.count(failure) }
        peers[number]?.close()
        forget(number)
    }

    private func forget(_ number: UInt32) {
        guard let peer = peers.removeValue(forKey: number) else { return }
        admission.close(admission.source(peer.connection.peer.address), now: loop.now)
        Traffic.connected(peer.transport, by: -1)
        if peer.isShakingHands { Traffic.count(StreamPeer.Handshake.abandoned) }
    }
}
