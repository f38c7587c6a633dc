public import Addresses

/// What a `TransactionLayer` wants done after an event: bytes to send and news for its user. The caller owns it, empties it, and
/// may keep its storage.
public struct Outbox: Sendable {
    public struct Datagram: Sendable {
        public let bytes: [UInt8]
        public let to: SocketAddress
        /// The peer whose connection carries it while that is open; otherwise it leaves as a datagram.
        public let connection: SocketAddress?
    }

    public enum Event: Sendable {
        /// A new request other than ACK and CANCEL, to be answered with `respond`.
        case request(Message, ServerTransactionID, source: SocketAddress)
        /// The response to a request of ours.
        case response(Message, ClientTransactionID)
        /// No response came in time: to be treated as a 408.
        case timedOut(ClientTransactionID)
        /// The request could not be sent: to be treated as a 503.
        case transportFailed(ClientTransactionID)
        /// The ACK of a 2xx, with the transaction of the INVITE while that is remembered.
        case ack(Message, ServerTransactionID?)
        /// The caller gave up; the CANCEL is answered already, or will be with the INVITE, which wants its 487.
        case cancel(Message, ServerTransactionID)
        /// No ACK came for the final response (64*T1): after a 2xx the session should be ended (§13.3.1.4).
        case unacknowledged(ServerTransactionID)
        /// A response outside its transaction: a 2xx repeated or from another fork (then with the transaction, and an ACK is due),
        /// or one that matches nothing.
        case strayResponse(Message, ClientTransactionID?)
    }

    public var datagrams: [Datagram] = []
    public var events: [Event] = []

    public init() {}

    public mutating func send(_ bytes: [UInt8], to address: SocketAddress, over connection: SocketAddress? = nil) {
        datagrams.append(Datagram(bytes: bytes, to: address, connection: connection))
    }

    public mutating func removeAll(keepingCapacity: Bool = true) {
        datagrams.removeAll(keepingCapacity: keepingCapacity)
        events.removeAll(keepingCapacity: keepingCapacity)
    }
}

/// Names a client transaction within its layer; never used twice.
public struct ClientTransactionID: Hashable, Sendable, Codable {
    let number: UInt64
}

/// Names a server transaction within its layer; never used twice.
public struct ServerTransactionID: Hashable, Sendable, Codable {
    let number: UInt64
}
