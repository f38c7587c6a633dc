import Addresses
import SIP
import TLS
import WebSocket

/// What stands between a phone's messages and its TCP connection: nothing, TLS, WebSocket, or both; the client's side.
final class StreamLayers {
    struct Incoming {
        /// A stream that is cut into messages by their Content-Length.
        var stream: [UInt8] = []
        /// Messages that came whole, one in each WebSocket message (RFC 7118 §5).
        var messages: [[UInt8]] = []
        /// Bytes for the other side, such as a pong.
        var answer: [UInt8] = []
        var isOver = false
    }

    private enum Opening { case notNeeded, waiting(head: [UInt8]), done }

    private let tls: TLSSession?
    private let proxy: SocketAddress
    private let key = "dGVzdCBwaG9uZSBub25jZQ=="  // sixteen bytes; the connection is ours alone, so they may repeat
    private var opening: Opening
    private var frames = FrameParser(role: .client, payloadLimit: 65_536)
    private var hasAsked = false

    init(_ settings: PhoneSettings) throws {
        proxy = settings.proxy
        if settings.transport == .tls || settings.transport == .wss {
            tls = TLSSession(try TLSContext.client(trusting: settings.trusted), address: "\(settings.proxy.address)")
        } else {
            tls = nil
        }
        opening = settings.transport == .ws || settings.transport == .wss ? .waiting(head: []) : .notNeeded
    }

    /// Whether messages can be sent.
    var isReady: Bool {
        if case .waiting = opening { return false }
        return tls?.isOpen ?? true
    }

    /// The first bytes to the proxy.
    func start() -> [UInt8] { tls?.start().ciphertext ?? request() }

    /// The bytes that carry a message; nil when it cannot be sent.
    func wrapped(_ message: [UInt8]) -> [UInt8]? {
        guard case .done = opening else { return encrypted(message) }
        return encrypted(Frame(.text, message).serialised(mask: .random(in: .min ... .max)))
    }

    func unwrap(_ bytes: [UInt8]) -> Incoming {
        var incoming = Incoming()
        guard let tls else {
            take(bytes, &incoming)
            return incoming
        }
        let output = tls.receive(bytes)
        incoming.answer = output.ciphertext
        incoming.isOver = output.isClosed || output.failure != nil
        if tls.isOpen { incoming.answer += request() }
        take(output.plaintext, &incoming)
        return incoming
    }

    private func encrypted(_ bytes: [UInt8]) -> [UInt8]? {
        guard let tls else { return bytes }
        return try? tls.send(bytes)
    }

    /// The opening handshake of RFC 7118 §4.1, once.
    private func request() -> [UInt8] {
        guard case .waiting = opening, !hasAsked else { return [] }
        hasAsked = true
        let lines = [
            "GET / HTTP/1.1", "Host: \(proxy)", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: \(key)",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: sip", "", "",
        ]
        return encrypted(Array(lines.joined(separator: "\r\n").utf8)) ?? []
    }

    private func take(_ plaintext: [UInt8], _ incoming: inout Incoming) {
        switch opening {
        case .notNeeded: incoming.stream = plaintext
        case .done: readFrames(plaintext, &incoming)
        case .waiting(let begun):
            let head = String(decoding: begun + plaintext, as: UTF8.self)
            opening = .waiting(head: begun + plaintext)
            guard head.hasSuffix("\r\n\r\n") else { return }
            if head.hasPrefix("HTTP/1.1 101 "), head.contains("Sec-WebSocket-Accept: \(UpgradeRequest.accept(key))\r\n"),
                head.contains("Sec-WebSocket-Protocol: sip\r\n")
            {
                opening = .done
            } else {
                incoming.isOver = true
            }
        }
    }

    private func readFrames(_ bytes: [UInt8], _ incoming: inout Incoming) {
        frames.append(bytes)
        do {
            while let frame = try frames.next() {
                switch frame.opcode {
                case .text, .binary: incoming.messages.append(frame.payload)
                case .ping:
                    let pong = Frame(.pong, frame.payload).serialised(mask: .random(in: .min ... .max))
                    incoming.answer += encrypted(pong) ?? []
                case .close, .continuation: incoming.isOver = true
                case .pong: break
                }
            }
        } catch { incoming.isOver = true }
    }
}
