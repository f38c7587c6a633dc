import Addresses
import Datagrams
import SIP
import Streams
import Threads

/// The least that a phone can register at: challenges, checks the password, and remembers the contacts. For one test each.
actor TestRegistrar {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private let transport: Transport
    private let password: String
    private let hashes: [DigestHash]
    private var socket: DatagramSocket?
    private var listener: StreamListener?
    private var connection: StreamConnection?
    private var framer = MessageFramer()
    private var batch = ReceiveBatch(capacity: 1, size: 8192)
    /// Contact and granted expiry of every REGISTER that was let in.
    private(set) var registrations: [(contact: String, expires: Int)] = []
    private(set) var challenges = 0

    init(_ transport: Transport, password: String, hashes: [DigestHash], on loop: EventLoop) {
        (self.transport, self.password, self.hashes, self.loop) = (transport, password, hashes, loop)
    }

    func listen() throws -> SocketAddress {
        let any = SocketAddress(.loopbackIPv4, port: 0)
        if transport == .tcp {
            let listener = try StreamListener(bind: any, loop: loop) { [weak self] connection in
                let accepted = Accepted(connection)
                self?.assumeIsolated { $0.accept(accepted.connection) }
            }
            self.listener = listener
            return listener.localAddress
        }
        let socket = try DatagramSocket(bind: any)
        let address = socket.localAddress
        loop.watch(socket.descriptor, .read) { [weak self] _ in self?.assumeIsolated { $0.read() } }
        self.socket = consume socket
        return address
    }

    /// Cuts the phone off, as a restarted server does.
    func dropConnection() {
        connection?.close()
        connection = nil
    }

    func stop() {
        if let descriptor = socket?.descriptor { loop.unwatch(descriptor) }
        connection?.close()
        listener?.close()
        socket = nil
        (listener, connection) = (nil, nil)
    }

    /// Both sides of the hand-over are the loop's thread.
    private struct Accepted: @unchecked Sendable {
        let connection: StreamConnection
        init(_ connection: StreamConnection) { self.connection = connection }
    }

    private func accept(_ connection: StreamConnection) {
        (self.connection, framer) = (connection, MessageFramer())
        connection.onBytes = { [weak self] bytes in
            let bytes = bytes.indices.map { bytes[$0] }
            self?.assumeIsolated { $0.read(bytes) }
        }
    }

    private func read(_ bytes: [UInt8]) {
        framer.append(bytes)
        while case .message(let message)? = try? framer.next() { connection?.write(answer(message)) }
    }

    private func read() {
        guard socket?.receive(into: &batch) == 1 else { return }
        let source = batch[0].source
        let bytes = batch[0].bytes.indices.map { batch[0].bytes[$0] }
        guard let message = try? Message.parse(bytes) else { return }
        socket?.send(answer(message), to: source)
    }

    private func answer(_ message: Message) -> [UInt8] {
        guard let credentials = message.credentials(.authorization, realm: "test") else {
            challenges += 1
            var response = ResponseBuilder(message, 401, toTag: "t")
            for hash in hashes {
                response.add(.wwwAuthenticate, DigestChallenge(realm: "test", nonce: "n\(challenges)", hash: hash).headerValue)
            }
            return response.serialised()
        }
        let ha1 = Digest.ha1(user: credentials.user, realm: "test", password: password, credentials.hash)
        guard credentials.isAuthentic(ha1: ha1, method: .register), let contact = message.contact else {
            return ResponseBuilder(message, 403, toTag: "t").serialised()
        }
        registrations.append((contact.uri.description, contact.parameters["expires"].flatMap { Int($0) } ?? -1))
        var response = ResponseBuilder(message, 200, toTag: "t")
        response.contact = contact
        return response.serialised()
    }
}
