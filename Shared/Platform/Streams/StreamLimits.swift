public import Datagrams
public import Deadlines

/// What a peer may cost before it is cut off.
public struct StreamLimits: Sendable {
    /// Open connections per listener; above it new ones are closed at once.
    public var connections = 4096
    /// Bytes waiting for one slow peer; above it the connection is closed.
    public var queuedBytes = 256 * 1024
    /// A connection on which nothing was received for so long is closed.
    public var idle = Interval.seconds(180)
    /// How long connecting out may take.
    public var connecting = Interval.seconds(5)

    /// How long the last bytes may take to leave, once we are done with a connection.
    public var finishing = Interval.seconds(5)

    /// How much the system may hold for a slow peer, in bytes, before writes wait here; nil: as it likes, which is megabytes.
    public var sendBuffer: Int?

    public init() {}
}

/// Why a connection has ended.
public enum StreamEnd: Hashable, Sendable {
    case closedByPeer
    /// Nothing was received within the idle limit.
    case idle
    /// The peer does not read: the write queue reached its bound.
    case slowPeer
    case failed(SocketError)
}

extension StreamEnd: CustomStringConvertible {
    public var description: String {
        switch self {
        case .closedByPeer: "the other side has closed the connection"
        case .idle: "nothing was received for too long"
        case .slowPeer: "the other side does not read"
        case .failed(let error): error.description
        }
    }
}
