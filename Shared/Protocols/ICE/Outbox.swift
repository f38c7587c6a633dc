public import Addresses

/// What an `Agent` wants done after an event. The caller owns it, empties it, and may keep its storage.
public struct Outbox: Sendable {
    public struct Datagram: Sendable {
        public let bytes: [UInt8]
        /// The base it leaves from.
        public let base: SocketAddress
        public let to: SocketAddress
    }

    public enum Event: Hashable, Sendable {
        /// Media of that component goes this way from now on.
        case selected(Path)
        /// Every component has its path.
        case connected
        /// The path of a restart took over; the credentials before it are forgotten.
        case restarted
        case roleChanged(Role)
        /// The other side has not answered for too long: nothing may be sent there any more (RFC 7675 §5.1).
        case consentLost(Path)
        /// No path was found; one may still be, by a restart or by a late check of theirs.
        case failed
    }

    public var datagrams: [Datagram] = []
    public var events: [Event] = []

    public init() {}

    mutating func send(_ bytes: [UInt8], from base: SocketAddress, to address: SocketAddress) {
        datagrams.append(Datagram(bytes: bytes, base: base, to: address))
    }

    public mutating func removeAll(keepingCapacity: Bool = true) {
        datagrams.removeAll(keepingCapacity: keepingCapacity)
        events.removeAll(keepingCapacity: keepingCapacity)
    }
}
