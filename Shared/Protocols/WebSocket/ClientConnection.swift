internal import Bytes

/// The client's end of a WebSocket connection (RFC 6455): opening handshake, messages whole again, pings answered, close.
///
/// Its bounds are the length of the response head and of a message. After `ended` nothing is read any more; what the outbox
/// holds is sent, then the stream is closed.
public struct ClientConnection: Sendable {
    public struct Request: Sendable {
        /// As the `Host` field has it.
        public var host: String
        /// Path and query.
        public var target: String
        /// Offered; a server need not choose it.
        public var subprotocol: String?
        public var fields: [(name: String, value: String)]
        /// Sixteen random bytes.
        public var nonce: [UInt8]

        public init(host: String, target: String, subprotocol: String? = nil, fields: [(name: String, value: String)] = [], nonce: [UInt8]) {
            (self.host, self.target, self.subprotocol, self.fields, self.nonce) = (host, target, subprotocol, fields, nonce)
        }
    }

    public enum End: Hashable, Sendable {
        /// The server answered with this status in place of 101.
        case refused(status: Int)
        case notWebSocket
        case failed(FrameError)
        /// By the server, with the code it gave.
        case closed(UInt16?)
    }

    public enum Event: Hashable, Sendable {
        case opened
        case text([UInt8])
        case binary([UInt8])
        case ended(End)
    }

    public struct Outbox: Sendable {
        public var bytes: [UInt8] = []
        public var events: [Event] = []

        public init() {}
    }

    private enum State { case opening, open, ended }

    private static let headLength = 8 * 1024
    private static let headerCount = 64

    private let request: Request
    private let key: String
    private let messageLength: Int
    private var state = State.opening
    private var head: [UInt8] = []
    private var parser: FrameParser
    private var fragments: (opcode: Opcode, payload: [UInt8])?

    public init(_ request: Request, messageLength: Int) {
        (self.request, self.messageLength) = (request, messageLength)
        key = Base64.encode(request.nonce)
        parser = FrameParser(role: .client, payloadLimit: messageLength)
    }

    public var isOpen: Bool { state == .open }

    /// The request that asks for the upgrade (§4.1).
    public var opening: [UInt8] {
        var lines = [
            "GET \(request.target) HTTP/1.1", "Host: \(request.host)", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: \(key)", "Sec-WebSocket-Version: 13",
        ]
        if let subprotocol = request.subprotocol { lines.append("Sec-WebSocket-Protocol: \(subprotocol)") }
        lines += request.fields.map { "\($0.name): \($0.value)" }
        return Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
    }

    /// `mask` is random, for what is answered.
    public mutating func receive(_ bytes: [UInt8], mask: UInt32, into outbox: inout Outbox) {
        switch state {
        case .opening: open(bytes, mask, &outbox)
        case .open: read(bytes, mask, &outbox)
        case .ended: break
        }
    }

    /// The close frame of whoever ends the connection; nothing is read afterwards.
    public mutating func close(_ code: CloseCode, mask: UInt32) -> [UInt8] {
        guard state == .open else { return [] }
        state = .ended
        return Self.closeFrame(code, mask)
    }

    private mutating func open(_ bytes: [UInt8], _ mask: UInt32, _ outbox: inout Outbox) {
        let from = max(0, head.count - 3)
        head += bytes
        guard let end = Self.headEnd(head, from: from), end <= Self.headLength else {
            if head.count > Self.headLength { self.end(.notWebSocket, &outbox) }
            return
        }
        if let refusal = judge(Array(head[..<end])) { return self.end(refusal, &outbox) }
        state = .open
        outbox.events.append(.opened)
        let rest = Array(head[end...])
        head = []
        read(rest, mask, &outbox)
    }

    /// Why this response opens no connection (§4.1); nil when it does.
    private func judge(_ head: [UInt8]) -> End? {
        guard let text = String(validating: head, as: UTF8.self) else { return .notWebSocket }
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: true)
        guard lines.count <= Self.headerCount, !lines.isEmpty else { return .notWebSocket }
        let status = lines.removeFirst().split(separator: " ", maxSplits: 2)
        guard status.count >= 2, status[0] == "HTTP/1.1", status[1].utf8.count == 3, let code = Int(status[1]) else { return .notWebSocket }
        guard code == 101 else { return .refused(status: code) }
        var values: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { return .notWebSocket }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            let name = line[..<colon].lowercased()
            guard values[name] == nil || !name.hasPrefix("sec-websocket") else { return .notWebSocket }
            values[name] = String(value)
        }
        let isUpgraded =
            values["upgrade"]?.lowercased() == "websocket"
            && values["connection"]?.lowercased().split(separator: ",").contains { $0.contains("upgrade") } == true
        // What was not offered must not be chosen: no extension, and no other protocol.
        guard isUpgraded, values["sec-websocket-accept"] == UpgradeRequest.accept(key), values["sec-websocket-extensions"] == nil,
            values["sec-websocket-protocol"] == nil || values["sec-websocket-protocol"] == request.subprotocol
        else { return .notWebSocket }
        return nil
    }

    private static func headEnd(_ head: [UInt8], from: Int) -> Int? {
        guard from <= head.count - 4 else { return nil }
        for index in from...head.count - 4 where head[index..<index + 4].elementsEqual([13, 10, 13, 10]) { return index + 4 }
        return nil
    }

    private mutating func read(_ bytes: [UInt8], _ mask: UInt32, _ outbox: inout Outbox) {
        parser.append(bytes)
        do throws(FrameError) {
            while state == .open, let frame = try parser.next() { try take(frame, mask, &outbox) }
        } catch {
            outbox.bytes += Self.closeFrame(error.code, mask)
            end(.failed(error), &outbox)
        }
    }

    private mutating func take(_ frame: Frame, _ mask: UInt32, _ outbox: inout Outbox) throws(FrameError) {
        switch frame.opcode {
        case .ping: outbox.bytes += Frame(.pong, frame.payload).serialised(mask: mask)
        case .pong: break
        case .close:
            guard frame.payload.count != 1 else { throw .badClose }
            let code = frame.payload.count >= 2 ? UInt16(frame.payload[0]) << 8 | UInt16(frame.payload[1]) : nil
            outbox.bytes += Frame(.close, Array(frame.payload.prefix(2))).serialised(mask: mask)
            end(.closed(code), &outbox)
        case .text, .binary:
            guard fragments == nil else { throw .interruptedMessage }
            guard frame.isFinal else {
                fragments = (frame.opcode, frame.payload)
                return
            }
            try add(frame.opcode, frame.payload, &outbox)
        case .continuation:
            guard let begun = fragments?.payload.count else { throw .strayContinuation }
            guard begun + frame.payload.count <= messageLength else { throw .tooLong }
            fragments?.payload += frame.payload
            guard frame.isFinal, let (opcode, whole) = fragments else { return }
            fragments = nil
            try add(opcode, whole, &outbox)
        }
    }

    private func add(_ opcode: Opcode, _ payload: [UInt8], _ outbox: inout Outbox) throws(FrameError) {
        guard opcode == .text else { return outbox.events.append(.binary(payload)) }
        guard payload.allSatisfy({ $0 < 128 }) || String(validating: payload, as: UTF8.self) != nil else { throw .notUTF8 }
        outbox.events.append(.text(payload))
    }

    private static func closeFrame(_ code: CloseCode, _ mask: UInt32) -> [UInt8] {
        Frame(.close, [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 255)]).serialised(mask: mask)
    }

    private mutating func end(_ reason: End, _ outbox: inout Outbox) {
        state = .ended
        (head, fragments) = ([], nil)
        outbox.events.append(.ended(reason))
    }
}
