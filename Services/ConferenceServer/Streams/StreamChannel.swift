import Addresses
import Deadlines
import Streams
import TLS
import Threads
import WebSocket

/// One WebSocket over TCP, or TLS over that, from connecting to its end. On its loop's thread.
final class StreamChannel {
    enum Event {
        case opened
        case text([UInt8])
        case binary([UInt8])
        case ended(End)
    }

    enum End: Equatable, CustomStringConvertible {
        case webSocket(ClientConnection.End)
        /// For people.
        case tls(String), connection(String)

        /// The other side closed in an orderly way.
        var isFarewell: Bool { self == .webSocket(.closed(1000)) }

        var description: String {
            switch self {
            case .webSocket(.refused(let status)): "the other side answers \(status)"
            case .webSocket(.notWebSocket): "the other side speaks no WebSocket"
            case .webSocket(.failed(let error)): "the other side breaks RFC 6455: \(error)"
            case .webSocket(.closed(let code)): "the other side has closed the stream" + (code.map { " (\($0))" } ?? "")
            case .tls(let failure): "TLS: \(failure)"
            case .connection(let end): end
            }
        }
    }

    /// Bytes that may wait in the connection before frames wait outside of it, where old ones are dropped.
    static let mostQueued = 16 * 1024
    private static let ping = Frame(.ping, [])

    private let connection: StreamConnection
    private let tls: TLSSession?
    private var socket: ClientConnection
    private var onEvent: ((Event) -> Void)?
    private var hasAsked = false
    private let lifetime: Interval

    init(
        _ address: StreamAddress, at peer: SocketAddress, _ fields: [(name: String, value: String)], subprotocol: String? = nil,
        trusting context: TLSContext?, loop: EventLoop, limits: StreamLimits, onEvent: @escaping (Event) -> Void
    ) throws {
        let nonce = (0..<16).map { _ in UInt8.random(in: 0 ... .max) }
        socket = ClientConnection(
            .init(host: address.authority, target: address.target, subprotocol: subprotocol, fields: fields, nonce: nonce),
            messageLength: 256 * 1024)
        let isLiteral = IPAddress(address.host) != nil
        tls = context.map { TLSSession($0, address: isLiteral ? address.host : nil, serverName: isLiteral ? nil : address.host) }
        (self.onEvent, lifetime) = (onEvent, limits.finishing + .seconds(1))
        connection = try StreamConnection.connect(to: peer, loop: loop, limits: limits)
        connection.onOpen = { [unowned self] in begin() }
        connection.onBytes = { [unowned self] bytes in
            var copy: [UInt8] = []
            copy.reserveCapacity(bytes.count)
            for index in bytes.indices { copy.append(bytes[index]) }
            receive(copy)
        }
        connection.onEnd = { [unowned self] end in over(.connection("\(end)")) }
    }

    var isOpen: Bool { onEvent != nil && socket.isOpen }
    /// Whether another frame may be written now.
    var takesMore: Bool { connection.queuedCount < Self.mostQueued }

    func send(_ frame: Frame) {
        guard isOpen else { return }
        write(frame.serialised(mask: .random(in: .min ... .max)))
    }

    func ping() { send(Self.ping) }

    /// Says goodbye and closes; nothing is told any more.
    func close() {
        onEvent = nil
        let farewell = socket.close(.normal, mask: .random(in: .min ... .max))
        if !farewell.isEmpty { write(farewell) }
        if let tls { connection.write(tls.close()) }
        letGo()
    }

    /// What is queued still leaves; the connection lives until it has, or has been given up.
    private func letGo() {
        connection.finish()
        let connection = connection
        _ = connection.loop.schedule(at: connection.loop.now + lifetime) { withExtendedLifetime(connection) {} }
    }

    private func begin() {
        if let tls { connection.write(tls.start().ciphertext) } else { ask() }
    }

    private func ask() {
        guard !hasAsked else { return }
        hasAsked = true
        write(socket.opening)
    }

    private func write(_ bytes: [UInt8]) {
        guard let tls else {
            connection.write(bytes)
            return
        }
        do { connection.write(try tls.send(bytes)) } catch { over(.tls("\(error)")) }
    }

    private func receive(_ bytes: [UInt8]) {
        guard let tls else { return read(bytes) }
        let output = tls.receive(bytes)
        if !output.ciphertext.isEmpty { connection.write(output.ciphertext) }
        if let failure = output.failure { return over(.tls("\(failure)")) }
        if tls.isOpen { ask() }
        if !output.plaintext.isEmpty { read(output.plaintext) }
        if output.isClosed { over(.connection("\(StreamEnd.closedByPeer)")) }
    }

    private func read(_ bytes: [UInt8]) {
        var outbox = ClientConnection.Outbox()
        socket.receive(bytes, mask: .random(in: .min ... .max), into: &outbox)
        if !outbox.bytes.isEmpty { write(outbox.bytes) }
        for event in outbox.events {
            switch event {
            case .opened: onEvent?(.opened)
            case .text(let text): onEvent?(.text(text))
            case .binary(let bytes): onEvent?(.binary(bytes))
            case .ended(let end): over(.webSocket(end))
            }
        }
    }

    private func over(_ end: End) {
        guard let told = onEvent else { return }
        onEvent = nil
        letGo()
        told(.ended(end))
    }
}
