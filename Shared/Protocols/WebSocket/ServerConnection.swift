/// The server's end of a WebSocket connection (RFC 6455): opening handshake, messages whole again, pings answered, close.
///
/// Its bounds are the length of the request head and of a message. After `ended` nothing is read any more; what the outbox
/// holds is sent, then the stream is closed.
public struct ServerConnection: Sendable {
    public struct Policy: Sendable {
        /// What the client must offer, `sip` for RFC 7118.
        public var subprotocol: String
        /// Pages that may connect; empty: all. Programs that are no browser send no origin and are not asked for one.
        public var origins: Set<String>
        public var headLength = 8 * 1024
        public var messageLength: Int

        public init(subprotocol: String, origins: Set<String> = [], messageLength: Int) {
            (self.subprotocol, self.origins, self.messageLength) = (subprotocol, Set(origins.map { $0.lowercased() }), messageLength)
        }
    }

    public enum End: Hashable, Sendable {
        case refused(UpgradeRequest.Refusal)
        case failed(FrameError)
        /// The close handshake is done.
        case closed
    }

    public enum Event: Hashable, Sendable {
        case opened
        case message([UInt8])
        case pong
        case ended(End)
    }

    /// What a call has brought about: the owner's, filled here.
    public struct Outbox: Sendable {
        public var bytes: [UInt8] = []
        public var events: [Event] = []

        public init() {}
    }

    private enum State { case opening, open, ended }

    private let policy: Policy
    private var state = State.opening
    private var head: [UInt8] = []
    private var parser: FrameParser
    /// The message whose last fragment has not come.
    private var fragments: (opcode: Opcode, payload: [UInt8])?

    public init(_ policy: Policy) {
        self.policy = policy
        parser = FrameParser(role: .server, payloadLimit: policy.messageLength)
    }

    public var isOpen: Bool { state == .open }

    /// Whether a frame or a message of several has begun and is not complete.
    public var isWithinMessage: Bool { parser.bufferedCount > 0 || fragments != nil }

    public mutating func receive(_ bytes: [UInt8], into outbox: inout Outbox) {
        switch state {
        case .opening: open(bytes, &outbox)
        case .open: read(bytes, &outbox)
        case .ended: break
        }
    }

    /// The frame of a message: text when it is UTF-8, else binary (RFC 7118 §5).
    public static func frame(_ message: [UInt8]) -> [UInt8] {
        Frame(isUTF8(message) ? .text : .binary, message).serialised()
    }

    public static let ping = Frame(.ping, []).serialised()

    /// The close frame, sent by whoever ends the connection; nothing is read afterwards.
    public mutating func close(_ code: CloseCode) -> [UInt8] {
        guard state == .open else { return [] }
        state = .ended
        return Self.closeFrame(code)
    }

    // MARK: Opening

    private mutating func open(_ bytes: [UInt8], _ outbox: inout Outbox) {
        // The end may lie across the border.
        let from = max(0, head.count - 3)
        head += bytes
        guard let end = Self.headEnd(head, from: from), end <= policy.headLength else {
            if head.count > policy.headLength { refuse(.tooLong, &outbox) }
            return
        }
        do throws(UpgradeRequest.Refusal) {
            let request = try UpgradeRequest(parsing: Array(head[..<end]))
            guard request.protocols.contains(policy.subprotocol) else { throw .noCommonProtocol }
            if let origin = request.origin, !policy.origins.isEmpty, !policy.origins.contains(origin.lowercased()) {
                throw .foreignOrigin
            }
            outbox.bytes += request.acceptance(policy.subprotocol)
        } catch { return refuse(error, &outbox) }
        state = .open
        outbox.events.append(.opened)
        let rest = Array(head[end...])
        head = []
        read(rest, &outbox)
    }

    private static func headEnd(_ head: [UInt8], from: Int) -> Int? {
        guard from <= head.count - 4 else { return nil }
        for index in from...head.count - 4 where head[index..<index + 4].elementsEqual([13, 10, 13, 10]) { return index + 4 }
        return nil
    }

    private mutating func refuse(_ refusal: UpgradeRequest.Refusal, _ outbox: inout Outbox) {
        outbox.bytes += refusal.response
        end(.refused(refusal), &outbox)
    }

    // MARK: Frames

    private mutating func read(_ bytes: [UInt8], _ outbox: inout Outbox) {
        parser.append(bytes)
        do throws(FrameError) {
            while state == .open, let frame = try parser.next() { try take(frame, &outbox) }
        } catch {
            outbox.bytes += Self.closeFrame(error.code)
            end(.failed(error), &outbox)
        }
    }

    private mutating func take(_ frame: Frame, _ outbox: inout Outbox) throws(FrameError) {
        switch frame.opcode {
        case .ping: outbox.bytes += Frame(.pong, frame.payload).serialised()
        case .pong: outbox.events.append(.pong)
        case .close:
            outbox.bytes += Frame(.close, try Self.closePayload(frame.payload)).serialised()
            end(.closed, &outbox)
        case .text, .binary:
            guard fragments == nil else { throw .interruptedMessage }
            try add(frame, frame.opcode, frame.payload, &outbox)
        case .continuation:
            guard let begun = fragments?.payload.count else { throw .strayContinuation }
            guard begun + frame.payload.count <= policy.messageLength else { throw .tooLong }
            // In place: a message in thousands of fragments is not copied for each.
            fragments?.payload += frame.payload
            guard frame.isFinal, let (opcode, whole) = fragments else { return }
            fragments = nil
            try add(frame, opcode, whole, &outbox)
        }
    }

    private mutating func add(
        _ frame: Frame, _ opcode: Opcode, _ payload: [UInt8], _ outbox: inout Outbox
    ) throws(FrameError) {
        guard frame.isFinal else {
            fragments = (opcode, payload)
            return
        }
        guard opcode == .binary || Self.isUTF8(payload) else { throw .notUTF8 }
        outbox.events.append(.message(payload))
    }

    /// Checks what a peer says at its end (§5.5.1, §7.4) and gives back the code alone.
    private static func closePayload(_ payload: [UInt8]) throws(FrameError) -> [UInt8] {
        guard !payload.isEmpty else { return [] }
        guard payload.count >= 2 else { throw .badClose }
        switch UInt16(payload[0]) << 8 | UInt16(payload[1]) {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw .badClose
        }
        guard isUTF8(Array(payload[2...])) else { throw .notUTF8 }
        return Array(payload[..<2])
    }

    private static func closeFrame(_ code: CloseCode) -> [UInt8] {
        Frame(.close, [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 255)]).serialised()
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 < 128 } || String(validating: bytes, as: UTF8.self) != nil
    }

    private mutating func end(_ reason: End, _ outbox: inout Outbox) {
        state = .ended
        (head, fragments) = ([], nil)
        outbox.events.append(.ended(reason))
    }
}
