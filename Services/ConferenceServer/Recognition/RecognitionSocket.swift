import Addresses
import Datagrams
import Deadlines
import Recognition
import Streams
import TLS
import Threads
import WebSocket

/// The client's end of a WebSocket to a recognition service: a `StreamChannel` with bounds on what waits to be sent and on how long the
/// service may take to begin and to finish.
actor RecognitionSocket {
    enum Incoming: Sendable {
        case text([UInt8])
        /// By the service, after it was told that the sound is over; or for a reason.
        case ended(RecognitionFailure?)
    }

    /// 16 s of sound.
    private static let longestQueue = 256 << 10
    private static let mostIncoming = 256

    nonisolated let loop: EventLoop
    nonisolated let incoming: AsyncStream<Incoming>
    private let queue: AsyncStream<Incoming>.Continuation
    private let patience: Interval
    private var channel: StreamChannel?
    private var timer: EventLoop.Timer?
    /// What is to be sent when the connection is open.
    private var waiting: [Frame] = []
    private var waitingBytes = 0
    private var hasSaidEnd = false
    private var isOver = false

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(patience: Interval, loop: EventLoop) {
        (self.patience, self.loop) = (patience, loop)
        (incoming, queue) = AsyncStream.makeStream(of: Incoming.self, bufferingPolicy: .bufferingOldest(Self.mostIncoming))
    }

    /// - Parameter trust: what a certificate is trusted by; nil: no TLS.
    func connect(
        to address: StreamAddress, at peer: SocketAddress, _ fields: [(name: String, value: String)], trusting trust: Result<TLSContext, TLSError>?
    ) {
        var limits = StreamLimits()
        limits.queuedBytes = Self.longestQueue
        limits.connecting = patience
        // A service may be silent for as long as the caller is.
        limits.idle = .seconds(4 * 3600)
        do {
            channel = try StreamChannel(address, at: peer, fields, trusting: try trust?.get(), loop: loop, limits: limits) { [weak self] event in
                self?.assumeIsolated { $0.take(event) }
            }
            expect("open the connection")
        } catch {
            end(RecognitionFailure("unreachable", "the recognition service: \(error)"))
        }
    }

    /// Sends a message, or keeps it until the connection is open; false when it is over.
    func send(_ frame: Frame) -> Bool {
        guard !isOver, let channel else { return false }
        guard !channel.isOpen else {
            channel.send(frame)
            return !isOver
        }
        waitingBytes += frame.payload.count
        guard waitingBytes <= Self.longestQueue else {
            end(RecognitionFailure("busy", "the recognition service does not open the connection in time"))
            return false
        }
        waiting.append(frame)
        return true
    }

    /// The sound is over: the service finishes and closes.
    func finish(_ goodbye: Frame) {
        guard send(goodbye) else { return }
        hasSaidEnd = true
        if channel?.isOpen == true { expect("finish") }
    }

    func close() { end(nil) }

    // MARK: The loop

    private func expect(_ what: String) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(at: loop.now + patience) { [weak self] in
            self?.assumeIsolated { $0.end(RecognitionFailure("timeout", "the recognition service takes too long to \(what)")) }
        }
    }

    private func take(_ event: StreamChannel.Event) {
        switch event {
        case .opened: opened()
        case .text(let text): queue.yield(.text(text))
        case .binary: break
        case .ended(let how): end(failure(how))
        }
    }

    private func opened() {
        if let timer { loop.cancel(timer) }
        timer = nil
        for frame in exchange(&waiting, with: []) { channel?.send(frame) }
        if hasSaidEnd { expect("finish") }
    }

    private func failure(_ end: StreamChannel.End) -> RecognitionFailure? {
        let code =
            switch end {
            case .webSocket(.closed) where hasSaidEnd: ""
            case .webSocket(.refused), .webSocket(.closed): "refused"
            case .webSocket: "failed"
            case .tls, .connection: "unreachable"
            }
        return code.isEmpty ? nil : RecognitionFailure(code, "the recognition service: \(end)")
    }

    private func end(_ failure: RecognitionFailure?) {
        guard !isOver else { return }
        isOver = true
        if let timer { loop.cancel(timer) }
        channel?.close()
        (channel, timer, waiting) = (nil, nil, [])
        queue.yield(.ended(failure))
        queue.finish()
    }
}
