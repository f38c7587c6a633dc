internal import Addresses

/// The switch from datagrams to a connection for what is too long (RFC 3261 §18.1.1). It is asked at every sending, since
/// connections come and go; branch and timers stay: the next hop may be a stateless proxy whose own next hop is reached by
/// datagrams, and then nobody but this end repeats what those lose.
extension TransactionLayer {
    /// Where the responses to a request go.
    struct WayBack: Sendable {
        let address: SocketAddress
        /// The connection that the request came over, in a layer of datagrams.
        var connection: SocketAddress?
    }

    /// As the topmost Via says (§18.2.2). Over the connection the request came by while that is open, then to the port of
    /// sent-by: the source port was that of the connection.
    func wayBack(of request: Message, _ source: SocketAddress, _ arrival: Transport?) -> WayBack {
        guard !transport.isReliable, let via = request.topmostVia else { return WayBack(address: source) }
        guard arrival?.isReliable == true else { return WayBack(address: via.responseAddress ?? source) }
        return WayBack(address: SocketAddress(source.address, port: via.port ?? 5060), connection: source)
    }

    func send(_ response: [UInt8], back way: WayBack, into outbox: inout Outbox) {
        outbox.send(response, to: way.address, over: way.connection ?? connection(to: way.address, for: response))
    }

    /// `bytes` is the request with this Via, as a datagram.
    func send(
        _ request: RequestBuilder, _ via: Via, _ bytes: [UInt8], to destination: SocketAddress, into outbox: inout Outbox
    ) {
        guard let connection = connection(to: destination, for: bytes) else { return outbox.send(bytes, to: destination) }
        var via = via
        via.transport = Transport.tcp.name
        outbox.send(request.serialised(via: via), to: destination, over: connection)
    }

    private func connection(to peer: SocketAddress, for bytes: [UInt8]) -> SocketAddress? {
        bytes.count > longestDatagram && connected.contains(peer) ? peer : nil
    }
}
