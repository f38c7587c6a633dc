public import Addresses
import Foundation
public import SIP
public import TLS
import WebSocket

/// A client on one connection that says exactly what a test wants it to say: TCP, TLS, WS or WSS.
///
/// One test owns it; what it waits for comes within the given time or the test fails.
public final class StreamAgent {
    public enum Trouble: Error { case socket, closed, silence(String) }

    public let transport: Transport
    /// Of this end.
    public let port: UInt16
    private let descriptor: Int32
    private let tls: TLSSession?
    private var frames: FrameParser?
    private var framer = MessageFramer()
    private var unread: [Message] = []
    /// The plaintext before the WebSocket is open.
    private var head: [UInt8] = []
    private var isUpgraded: Bool
    private var pongs = 0
    public private(set) var isClosed = false

    /// Connects, and shakes hands as far as the transport wants it; `source` is one of this machine's 127.0.0.0/8.
    public init(
        to port: UInt16, over transport: Transport, at host: IPAddress = .loopbackIPv4, tls context: TLSContext? = nil,
        serverName: String? = nil, from source: UInt32 = 0x7f00_0001
    ) async throws {
        self.transport = transport
        (descriptor, self.port) = host.isIPv4 ? try Self.connect(to: port, from: source) : try Self.connectIPv6(to: port, at: host)
        tls = context.map { TLSSession($0, serverName: serverName) }
        let isWebSocket = transport == .ws || transport == .wss
        if isWebSocket { frames = FrameParser(role: .client, payloadLimit: 65_536) }
        isUpgraded = !isWebSocket
        if let tls {
            try sendBytes(tls.start().ciphertext)
            try await until("the TLS handshake") { tls.isOpen }
        }
        guard isWebSocket else { return }
        let lines = [
            "GET / HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: dGVzdCBwaG9uZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: sip", "", "",
        ]
        try sendPlain(Array(lines.joined(separator: "\r\n").utf8))
        try await until("the WebSocket handshake") { isUpgraded }
    }

    /// Connects, and says nothing that it is not told to.
    public init(rawTo port: UInt16, _ transport: Transport) throws {
        (self.transport, tls, isUpgraded) = (transport, nil, true)
        (descriptor, self.port) = try Self.connect(to: port)
    }

    deinit { Foundation.close(descriptor) }

    public func close() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        isClosed = true
    }

    // MARK: Sending

    /// A message of these lines and this body.
    public func send(_ lines: [String], body: [UInt8] = []) throws {
        try send(Array((lines + ["Content-Length: \(body.count)", "", ""]).joined(separator: "\r\n").utf8) + body)
    }

    /// One message, framed as the transport wants it.
    public func send(_ message: [UInt8]) throws {
        guard frames != nil else { return try sendPlain(message) }
        try sendPlain(Frame(.text, message).serialised(mask: .random(in: .min ... .max)))
    }

    public func answer(_ request: Message, _ status: Int) throws {
        try send(ResponseBuilder(request, status, toTag: "client").serialised())
    }

    private func sendPlain(_ bytes: [UInt8]) throws { try sendBytes(try tls?.send(bytes) ?? bytes) }

    /// As they are, on the TCP connection.
    public func sendBytes(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw Trouble.closed }
            rest = rest.dropFirst(sent)
        }
    }

    // MARK: Receiving

    /// All that has come by the time that `text` is in it, on a connection that carries no SIP.
    public func hears(_ text: String, within limit: Duration = .seconds(10)) async throws -> String {
        var (heard, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        let end = ContinuousClock.now + limit
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 { heard += buffer.prefix(count) }
            let all = String(decoding: heard, as: UTF8.self)
            if all.contains(text) { return all }
            guard count > 0 || count < 0 && (errno == EAGAIN || errno == EINTR) else { throw Trouble.closed }
            guard ContinuousClock.now < end else { throw Trouble.silence(text) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The next message that is wanted; others stay for later.
    public func receive(_ what: String, within limit: Duration = .seconds(10), where isWanted: (Message) -> Bool = { _ in true }) async throws -> Message {
        var found: Message?
        try await until(what, within: limit) {
            guard let position = unread.firstIndex(where: isWanted) else { return false }
            found = unread.remove(at: position)
            return true
        }
        guard let found else { throw Trouble.silence(what) }
        return found
    }

    /// Waits for the answer to a keep-alive (RFC 5626 §3.5.1).
    public func pong() async throws { try await until("the pong") { pongs > 0 } }

    /// Waits until the other side has closed the connection.
    public func closed(within limit: Duration = .seconds(15)) async throws {
        do { try await until("the end", within: limit) { isClosed } } catch Trouble.closed {}
    }

    private func until(_ what: String, within limit: Duration = .seconds(10), _ isDone: () -> Bool) async throws {
        let end = ContinuousClock.now + limit
        while !isDone() {
            if try read() { continue }
            if isClosed { throw Trouble.closed }
            guard ContinuousClock.now < end else { throw Trouble.silence(what) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Whether there was anything to read.
    private func read() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { isClosed = true }
            return false
        }
        let bytes = Array(buffer.prefix(count))
        guard let tls else {
            try take(bytes)
            return true
        }
        let output = tls.receive(bytes)
        if !output.ciphertext.isEmpty { try? sendBytes(output.ciphertext) }
        if output.isClosed || output.failure != nil { isClosed = true }
        try take(output.plaintext)
        return true
    }

    private func take(_ plaintext: [UInt8]) throws {
        guard frames != nil else { return try takeStream(plaintext) }
        guard isUpgraded else {
            head += plaintext
            let text = String(decoding: head, as: UTF8.self)
            if text.hasPrefix("HTTP/1.1 101 "), text.hasSuffix("\r\n\r\n") { isUpgraded = true }
            return
        }
        frames?.append(plaintext)
        while let frame = try frames?.next() {
            switch frame.opcode {
            case .text, .binary:
                if !Message.isKeepAlive(frame.payload) { unread.append(try Message.parse(frame.payload)) }
            case .ping: try sendPlain(Frame(.pong, frame.payload).serialised(mask: .random(in: .min ... .max)))
            case .close: isClosed = true
            case .pong, .continuation: break
            }
        }
    }

    private func takeStream(_ bytes: [UInt8]) throws {
        framer.append(bytes)
        while let output = try framer.next() {
            switch output {
            case .message(let message): unread.append(message)
            case .pong: pongs += 1
            case .ping: break
            }
        }
    }

    private static func connect(to port: UInt16, from host: UInt32 = 0x7f00_0001) throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var (address, own, length) = (LocalAddress.of(port), LocalAddress.of(0), socklen_t(MemoryLayout<sockaddr_in>.size))
        own.sin_addr.s_addr = host.bigEndian
        // No port yet: so that one local port may serve for several peers.
        var late = Int32(1)
        setsockopt(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, &late, socklen_t(MemoryLayout<Int32>.size))
        let isConnected = withUnsafeMutablePointer(to: &own) { own in
            own.withMemoryRebound(to: sockaddr.self, capacity: 1) { own in
                withUnsafePointer(to: &address) { peer in
                    peer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                        bind(descriptor, own, length) == 0 && Foundation.connect(descriptor, peer, length) == 0
                            && getsockname(descriptor, own, &length) == 0
                    }
                }
            }
        }
        guard descriptor >= 0, isConnected else { throw Trouble.socket }
        return (descriptor, UInt16(bigEndian: own.sin_port))
    }

    private static func connectIPv6(to port: UInt16, at host: IPAddress) throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        var (address, own, length) = (sockaddr_in6(), sockaddr_in6(), socklen_t(MemoryLayout<sockaddr_in6>.size))
        (address.sin6_family, address.sin6_port) = (sa_family_t(AF_INET6), port.bigEndian)
        withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
            bytes.storeBytes(of: host.high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: host.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(descriptor, $0, length) == 0 }
        }
        let isNamed = withUnsafeMutablePointer(to: &own) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
        }
        guard descriptor >= 0, isConnected, isNamed else { throw Trouble.socket }
        return (descriptor, UInt16(bigEndian: own.sin6_port))
    }
}

/// A TCP port where nobody is expected.
public final class SilentListener {
    public let port: UInt16
    private let descriptor: Int32

    public init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var (address, length) = (LocalAddress.of(0), socklen_t(MemoryLayout<sockaddr_in>.size))
        let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 5) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard descriptor >= 0, isOpen else { throw StreamAgent.Trouble.socket }
        (self.descriptor, port) = (descriptor, UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    /// Whether anybody has connected.
    public var wasCalled: Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 0) > 0
    }
}
