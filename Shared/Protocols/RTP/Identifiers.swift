/// The sixteen-bit packet counter of RTP; it wraps, so order is a matter of distance (RFC 3550 §5.1).
public struct SequenceNumber: BitwiseCopyable, Hashable, Sendable, Codable {
    public var value: UInt16

    public init(_ value: UInt16) { self.value = value }

    /// How far `other` lies behind (positive) or ahead (negative), in -32768...32767.
    public func distance(from other: SequenceNumber) -> Int { Int(Int16(bitPattern: value &- other.value)) }

    public func advanced(by count: Int) -> SequenceNumber { SequenceNumber(value &+ UInt16(truncatingIfNeeded: count)) }

    public var next: SequenceNumber { SequenceNumber(value &+ 1) }
}

/// The sampling instant of a packet's first octet in units of the codec's clock; it wraps (RFC 3550 §5.1).
public struct Timestamp: BitwiseCopyable, Hashable, Sendable, Codable {
    public var value: UInt32

    public init(_ value: UInt32) { self.value = value }

    public func distance(from other: Timestamp) -> Int { Int(Int32(bitPattern: value &- other.value)) }

    public func advanced(by units: Int) -> Timestamp { Timestamp(value &+ UInt32(truncatingIfNeeded: units)) }
}

/// The synchronisation source: who made the stream (RFC 3550 §3).
public struct SSRC: BitwiseCopyable, Hashable, Sendable, Codable {
    public var value: UInt32

    public init(_ value: UInt32) { self.value = value }
}

/// What the payload is: seven bits whose meaning RFC 3551 or the session description gives.
public struct PayloadType: Hashable, Sendable, Codable {
    public let value: UInt8

    public init(_ value: UInt8) { self.value = value & 0x7f }

    public static let pcmu = PayloadType(0)
    public static let pcma = PayloadType(8)
}
