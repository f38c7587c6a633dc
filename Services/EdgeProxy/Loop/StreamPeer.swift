import Deadlines
import SIP
import Streams
import TLS
import WebSocket

/// A phone on a connection: its messages come and go through TLS and WebSocket, as far as its transport has them.
///
/// A class, because what is written may end the connection, which takes the peer out of the table while it is at work.
final class StreamPeer {
    enum Event {
        case message(Message)
        /// Two line ends, to be answered with one (RFC 5626 §3.5.1).
        case ping
        case pong
        /// What cannot be read as a message: the rest of a stream, or one message of WebSocket.
        case malformed(ParseError, [UInt8])
    }

    /// Why a connection is closed from our side.
    enum Failure: String, CaseIterable {
        case tls, upgrade, frame, framing, silent, slow
    }

    /// What a peer owes us: it may take long over nothing, but not over what it has begun (RELIABILITY O6).
    enum Phase { case idle, handshake, headers, message }

    /// How a TLS handshake ended.
    enum Handshake: String, CaseIterable {
        case completed, resumed, failed
        /// The client's certificate is missing, or from nobody we trust.
        case untrusted
        /// The client went away, or took too long.
        case abandoned
    }

    /// What bytes have brought about: first the events, then the end, if it came to that.
    struct Received {
        var handshake: Handshake?
        var events: [Event] = []
        var failure: Failure?
        var isOver = false
    }

    let connection: StreamConnection
    let transport: Transport
    var hasGreeted = false
    /// Whether anything came since the last WebSocket ping.
    var isAlive = true
    /// Since when it has been in its phase, and whether a look at that is due already.
    private(set) var phase = Phase.idle
    private(set) var since: Instant
    var isWatched = false
    /// Until TLS is open, or has failed.
    private(set) var isShakingHands: Bool
    private let tls: TLSSession?
    private var webSocket: ServerConnection?
    private var framer = MessageFramer(limits: .outside)

    init(_ connection: StreamConnection, _ transport: Transport, tls: TLSSession?, webSocket: ServerConnection?) {
        (self.connection, self.transport, self.tls, self.webSocket) = (connection, transport, tls, webSocket)
        (isShakingHands, since) = (tls != nil, connection.loop.now)
        phase = currentPhase
    }

    /// Whose certificate the peer has shown, when somebody we trust vouches for it (RFC 5922 §7.1); a trunk is known by these.
    var verifiedNames: [String] { tls?.verifiedNames ?? [] }

    func receive(_ bytes: [UInt8]) -> Received {
        let received = read(bytes)
        let current = currentPhase
        if current != phase || !received.events.isEmpty { (phase, since) = (current, connection.loop.now) }
        return received
    }

    private var currentPhase: Phase {
        if let tls, !tls.isOpen { return .handshake }
        if let webSocket { return !webSocket.isOpen ? .handshake : webSocket.isWithinMessage ? .message : .idle }
        return switch framer.phase {
        case .between: .idle
        case .headers: .headers
        case .body: .message
        }
    }

    private func read(_ bytes: [UInt8]) -> Received {
        isAlive = true
        var received = Received()
        guard let tls else {
            takePlaintext(bytes, &received)
            return received
        }
        let output = tls.receive(bytes)
        if isShakingHands { received.handshake = handshake(tls, output.failure) }
        if !output.ciphertext.isEmpty { connection.write(output.ciphertext) }
        if !output.plaintext.isEmpty { takePlaintext(output.plaintext, &received) }
        if output.failure != nil, received.failure == nil { received.failure = .tls }
        if output.isClosed || output.failure != nil { received.isOver = true }
        return received
    }

    private func handshake(_ tls: TLSSession, _ failure: TLSError?) -> Handshake? {
        guard tls.isOpen || failure != nil else { return nil }
        isShakingHands = false
        if tls.isOpen { return tls.isResumed ? .resumed : .completed }
        if case .untrusted = failure { return .untrusted }
        return .failed
    }

    /// One SIP message, or a keep-alive; false when the connection cannot take it any more.
    @discardableResult
    func send(_ message: [UInt8]) -> Bool {
        guard let webSocket else { return write(message) }
        return webSocket.isOpen && write(ServerConnection.frame(message))
    }

    func ping() {
        if webSocket?.isOpen == true { write(ServerConnection.ping) }
    }

    /// Says goodbye on every layer, and closes when that is sent.
    func close() {
        if let goodbye = webSocket?.close(.goingAway), !goodbye.isEmpty { write(goodbye) }
        if let goodbye = tls?.close(), !goodbye.isEmpty { connection.write(goodbye) }
        connection.finish()
    }

    @discardableResult
    private func write(_ plaintext: [UInt8]) -> Bool {
        guard let tls else { return connection.write(plaintext) }
        guard let ciphertext = try? tls.send(plaintext) else { return false }
        return connection.write(ciphertext)
    }

    // MARK: Framing

    private func takePlaintext(_ bytes: [UInt8], _ received: inout Received) {
        if webSocket == nil { takeStream(bytes, &received) } else { takeFrames(bytes, &received) }
    }

    private func takeStream(_ bytes: [UInt8], _ received: inout Received) {
        framer.append(bytes)
        do throws(ParseError) {
            while let output = try framer.next() {
                switch output {
                case .message(let message): received.events.append(.message(message))
                case .ping: received.events.append(.ping)
                case .pong: received.events.append(.pong)
                }
            }
        } catch {
            // A stream that has lost its framing cannot be read on.
            received.events.append(.malformed(error, framer.refused))
            (received.failure, received.isOver) = (.framing, true)
        }
    }

    /// One SIP message per WebSocket message, whose length needs no Content-Length (RFC 7118 §5).
    private func takeFrames(_ bytes: [UInt8], _ received: inout Received) {
        var outbox = ServerConnection.Outbox()
        webSocket?.receive(bytes, into: &outbox)
        if !outbox.bytes.isEmpty { write(outbox.bytes) }
        for event in outbox.events {
            switch event {
            case .opened: break
            case .pong: received.events.append(.pong)
            case .message(let bytes) where Message.isKeepAlive(bytes): received.events.append(bytes.count > 2 ? .ping : .pong)
            case .message(let bytes):
                do throws(ParseError) {
                    received.events.append(.message(try Message.parse(bytes, limits: .outside)))
                } catch { received.events.append(.malformed(error, bytes)) }
            case .ended(let end):
                received.isOver = true
                switch end {
                case .refused: received.failure = .upgrade
                case .failed: received.failure = .frame
                case .closed: break
                }
            }
        }
    }
}
