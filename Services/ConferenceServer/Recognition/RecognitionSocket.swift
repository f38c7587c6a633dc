import Addresses
import Datagrams
import Deadlines
import Recognition
import Streams
import TLS
import Threads
import WebSocket

/// The client's end of a WebSocket to a recognition service, on an event loop: TCP, TLS where the address says so, and bounds on
/// what waits to be sent and on how long the service may take to begin and to finish.
actor RecognitionSocket {
    enum Incoming: Sendable {
        case text([UInt8])
        /// By the service, after it was told that the sound is over; or for a reason.
        case ended(RecognitionFailure?)
    }

    /// 16 s of sound.
    private static let longestQueue = 256 << 10
    private static let longestMessage = 64 << 10
    private static let mostIncoming = 256
    private static let authorities = "/etc/ssl/certs/ca-certificates.crt"

    nonisolated let loop: EventLoop
    nonisolated let incoming: AsyncStream<Incoming>
    private let queue: AsyncStream<Incoming>.Continuation
    private let peer: SocketAddress
    private let serverName: String?
    private let patience: Interval
    private var webSocket: ClientConnection
    private var connection: StreamConnection?
    private var tls: TLSSession?
    private var timer: EventLoop.Timer?
    /// What is to be sent when the connection is open.
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    private var hasSaidEnd = false
    private var isOver = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    /// - Parameter serverName: what the certificate must be for; nil: no TLS.
    init(_ request: ClientConnection.Request, to peer: SocketAddress, serverName: String?, patience: Interval, loop: EventLoop) {
        (self.peer, self.serverName, self.patience, self.loop) = (peer, serverName, patience, loop)
        webSocket = ClientConnection(request, messageLength: Self.longestMessage)
        (incoming, queue) = AsyncStream.makeStream(of: Incoming.self, bufferingPolicy: .bufferingOldest(Self.mostIncoming))
    }

    func connect() {
        do throws(SocketError) {
            var limits = StreamLimits()
            limits.queuedBytes = Self.longestQueue
            limits.connecting = patience
            // A service may be silent for as long as the caller is.
            limits.idle = .seconds(4 * 3600)
            let connection = try StreamConnection.connect(to: peer, loop: loop, limits: limits)
            self.connection = connection
            connection.onOpen = { [weak self] in self?.assumeIsolated { $0.connected() } }
            connection.onBytes = { [weak self] bytes in
                let bytes = bytes.indices.map { bytes[$0] }
                self?.assumeIsolated { $0.receive(bytes) }
            }
            connection.onEnd = { [weak self] reason in
                self?.assumeIsolated { $0.end(RecognitionFailure("unreachable", "the recognition service: \(reason)")) }
            }
        } catch {
            return end(RecognitionFailure("unreachable", "the recognition service: \(error)"))
        }
        expect("open the connection")
    }

    /// Sends a message, or keeps it until the connection is open; false when it is over.
    func send(_ frame: Frame) -> Bool {
        guard !isOver else { return false }
        let bytes = frame.serialised(mask: .random(in: .min ... .max))
        guard webSocket.isOpen else {
            waitingBytes += bytes.count
            guard waitingBytes <= Self.longestQueue else {
                end(RecognitionFailure("busy", "the recognition service does not open the connection in time"))
                return false
            }
            waiting.append(bytes)
            return true
        }
        write(bytes)
        return !isOver
    }

    /// The sound is over: the service finishes and closes.
    func finish(_ goodbye: Frame) {
        guard send(goodbye) else { return }
        hasSaidEnd = true
        if webSocket.isOpen { expect("finish") }
    }

    func close() { end(nil) }

    // MARK: The loop

    private func expect(_ what: String) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(at: loop.now + patience) { [weak self] in
            self?.assumeIsolated { $0.end(RecognitionFailure("timeout", "the recognition service takes too long to \(what)")) }
        }
    }

    private func connected() {
        guard let serverName else { return write(webSocket.opening) }
        do throws(TLSError) {
            let name = IPAddress(serverName) == nil ? serverName : nil
            let session = TLSSession(
                try TLSContext.client(trusting: Self.authorities), address: name == nil ? serverName : nil, serverName: name)
            tls = session
            take(session.start())
        } catch {
            end(RecognitionFailure("unreachable", "TLS with the recognition service: \(error)"))
        }
    }

    private func receive(_ bytes: [UInt8]) {
        guard let tls else { return read(bytes) }
        let wasOpen = tls.isOpen
        let output = tls.receive(bytes)
        take(output)
        if !wasOpen, tls.isOpen { write(webSocket.opening) }
        read(output.plaintext)
        if let failure = output.failure { end(RecognitionFailure("unreachable", "TLS with the recognition service: \(failure)")) }
    }

    private func take(_ output: TLSSession.Output) {
        if !output.ciphertext.isEmpty { connection?.write(output.ciphertext) }
    }

    private func write(_ bytes: [UInt8]) {
        guard let tls else {
            connection?.write(bytes)
            return
        }
        do throws(TLSError) { connection?.write(try tls.send(bytes)) } catch {
            end(RecognitionFailure("unreachable", "TLS with the recognition service: \(error)"))
        }
    }

    private func read(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, !isOver else { return }
        var outbox = ClientConnection.Outbox()
        webSocket.receive(bytes, mask: .random(in: .min ... .max), into: &outbox)
        if !outbox.bytes.isEmpty { write(outbox.bytes) }
        for event in outbox.events {
            switch event {
            case .opened: opened()
            case .text(let text): queue.yield(.text(text))
            case .binary: break
            case .ended(let reason): end(Self.failure(reason, hasSaidEnd: hasSaidEnd))
            }
        }
    }

    private func opened() {
        if let timer { loop.cancel(timer) }
        timer = nil
        for bytes in exchange(&waiting, with: []) { write(bytes) }
        if hasSaidEnd { expect("finish") }
    }

    private static func failure(_ reason: ClientConnection.End, hasSaidEnd: Bool) -> RecognitionFailure? {
        switch reason {
        case .refused(let status): RecognitionFailure("refused", "the recognition service answers \(status)")
        case .notWebSocket: RecognitionFailure("failed", "the recognition service speaks no WebSocket")
        case .failed(let error): RecognitionFailure("failed", "the recognition service's WebSocket: \(error)")
        case .closed(let code):
            hasSaidEnd ? nil : RecognitionFailure("refused", "the recognition service closes the connection\(code.map { ", code \($0)" } ?? "")")
        }
    }

    private func end(_ failure: RecognitionFailure?) {
        guard !isOver else { return }
        isOver = true
        if let timer { loop.cancel(timer) }
        if webSocket.isOpen { write(webSocket.close(.normal, mask: .random(in: .min ... .max))) }
        connection?.finish()
        (connection, tls, timer, waiting) = (nil, nil, nil, [])
        queue.yield(.ended(failure))
        queue.finish()
    }
}
