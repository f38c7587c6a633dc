/// What is to be sent to the peer, each a datagram of its own, in this order.
public struct Outbox: Sendable {
    public var datagrams: [[UInt8]] = []

    public init() {}
}
