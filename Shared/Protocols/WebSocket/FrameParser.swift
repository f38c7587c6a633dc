/// What a peer did that ends the connection, with the code it is told.
public enum FrameError: Error, Hashable, Sendable, CaseIterable {
    case reservedBits, unknownOpcode, wrongMasking, longControlFrame, fragmentedControlFrame, wastefulLength, tooLong
    case strayContinuation, interruptedMessage, badClose, notUTF8

    public var code: CloseCode {
        switch self {
        case .tooLong: .messageTooBig
        case .notUTF8: .invalidPayload
        default: .protocolError
        }
    }
}

/// Cuts a byte stream into frames (RFC 6455 §5.2); what a header promises is checked before its payload is waited for.
public struct FrameParser: Sendable {
    private let role: Role
    private let payloadLimit: Int
    private var buffer: [UInt8] = []
    private var start = 0

    /// `role` is our own: a server takes only masked frames, a client only others (§5.1).
    public init(role: Role, payloadLimit: Int) { (self.role, self.payloadLimit) = (role, payloadLimit) }

    public var bufferedCount: Int { buffer.count - start }

    public mutating func append(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// The next frame, or nil until more bytes come. After an error the stream cannot be read on.
    public mutating func next() throws(FrameError) -> Frame? {
        guard let first = byte(0) else { return nil }
        guard first & 0x70 == 0 else { throw .reservedBits }
        guard let opcode = Opcode(rawValue: first & 15) else { throw .unknownOpcode }
        let isFinal = first & 0x80 != 0
        guard isFinal || !opcode.isControl else { throw .fragmentedControlFrame }
        guard let second = byte(1) else { return nil }
        guard (second & 0x80 != 0) == (role == .server) else { throw .wrongMasking }
        guard let (length, lengthEnd) = try payloadLength(second & 0x7f, opcode) else { return nil }
        let header = lengthEnd + (role == .server ? 4 : 0)
        guard bufferedCount >= header + length else { return nil }
        let begin = start + header
        var payload = Array(buffer[begin..<begin + length])
        if role == .server {
            let mask = UInt32(truncatingIfNeeded: number(at: lengthEnd, width: 4))
            for index in payload.indices { payload[index] ^= Frame.maskByte(mask, index) }
        }
        start += header + length
        // A silent connection keeps no memory.
        if start == buffer.count { (buffer, start) = ([], 0) }
        return Frame(opcode, payload, isFinal: isFinal)
    }

    /// The length, and where its field ends; nil while the field is incomplete.
    private func payloadLength(_ short: UInt8, _ opcode: Opcode) throws(FrameError) -> (Int, end: Int)? {
        guard short >= 126 else { return try bounded(UInt64(short), end: 2) }
        guard !opcode.isControl else { throw .longControlFrame }
        let width = short == 126 ? 2 : 8
        guard bufferedCount >= 2 + width else { return nil }
        let long = number(at: 2, width: width)
        // The minimal number of bytes must be used (§5.2).
        guard long > (width == 2 ? 125 : 65_535) else { throw .wastefulLength }
        return try bounded(long, end: 2 + width)
    }

    private func bounded(_ length: UInt64, end: Int) throws(FrameError) -> (Int, end: Int) {
        guard length <= UInt64(payloadLimit) else { throw .tooLong }
        return (Int(length), end)
    }

    private func byte(_ offset: Int) -> UInt8? { bufferedCount > offset ? buffer[start + offset] : nil }

    private func number(at offset: Int, width: Int) -> UInt64 {
        buffer[start + offset..<start + offset + width].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
