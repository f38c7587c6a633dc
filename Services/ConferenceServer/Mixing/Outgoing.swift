import Addresses

/// Where the mixer puts packets and events: the caller's batch, or a test's arrays.
protocol Outgoing: ~Copyable {
    mutating func send(_ packet: Span<UInt8>, to address: SocketAddress)
    mutating func report(_ event: MixerEvent)
}
