/// Who sends in a stream, seen from the side whose description it is (RFC 8866 §6.7, RFC 3264 §5.1).
public enum Direction: String, Hashable, Sendable, Codable, CaseIterable {
    case sendReceive = "sendrecv"
    case sendOnly = "sendonly"
    case receiveOnly = "recvonly"
    case inactive

    public init(sends: Bool, receives: Bool) {
        self = sends ? (receives ? .sendReceive : .sendOnly) : (receives ? .receiveOnly : .inactive)
    }

    public var sends: Bool { self == .sendReceive || self == .sendOnly }
    public var receives: Bool { self == .sendReceive || self == .receiveOnly }

    /// The same stream seen from the other side.
    public var mirrored: Direction { Direction(sends: receives, receives: sends) }

    /// What both allow.
    public func intersection(_ other: Direction) -> Direction {
        Direction(sends: sends && other.sends, receives: receives && other.receives)
    }
}
