/// The kinds of frames (RFC 6455 §11.8).
public enum Opcode: UInt8, Sendable, Hashable {
    case continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// Which end of a connection we are: clients mask what they send, servers do not (RFC 6455 §5.1).
public enum Role: Sendable { case server, client }

/// Why a connection ends (RFC 6455 §7.4.1).
public enum CloseCode: UInt16, Sendable, Hashable {
    case normal = 1000, goingAway = 1001, protocolError = 1002, unacceptableData = 1003, invalidPayload = 1007
    case policyViolation = 1008, messageTooBig = 1009
}

/// One frame (RFC 6455 §5.2):
///
///     |F|R R R|opcode |M| length (7)  | 16 or 64 more bits of length | 4 bytes of mask, when M | payload |
public struct Frame: Sendable, Hashable {
    public var isFinal: Bool
    public var opcode: Opcode
    /// Unmasked.
    public var payload: [UInt8]

    public init(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true) {
        (self.isFinal, self.opcode, self.payload) = (isFinal, opcode, payload)
    }

    /// The bytes on the wire; a client gives a random mask for every frame.
    public func serialised(mask: UInt32? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + 14)
        bytes.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        let masked: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ..<126: bytes.append(masked | UInt8(payload.count))
        case ..<65_536:
            bytes.append(masked | 126)
            Self.append(UInt64(payload.count), width: 2, to: &bytes)
        default:
            bytes.append(masked | 127)
            Self.append(UInt64(payload.count), width: 8, to: &bytes)
        }
        guard let mask else { return bytes + payload }
        Self.append(UInt64(mask), width: 4, to: &bytes)
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ Self.maskByte(mask, index)) }
        return bytes
    }

    /// §5.3: byte i is combined with byte i mod 4 of the mask.
    static func maskByte(_ mask: UInt32, _ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: mask >> UInt32(8 * (3 - index & 3)))
    }

    private static func append(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
        for index in stride(from: width - 1, through: 0, by: -1) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8)))
        }
    }
}
