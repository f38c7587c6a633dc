import Addresses
import Datagrams
import SIP

/// Every message is shown to the capture server, where there is one: as it came, and as it goes on.
extension EdgeLoop {
    func captureReceived(_ bytes: Span<UInt8>, _ arrival: Arrival) {
        capture?.copy(bytes, over: arrival.transport, from: arrival.source, to: outsideAddress(arrival))
    }

    func captureReceived(_ bytes: Span<UInt8>, over transport: Transport = .udp, fromInside source: SocketAddress) {
        capture?.copy(bytes, over: transport, from: source, to: inside)
    }

    /// What was just put into the batch of datagrams to phones.
    func captureSent(from port: OutsidePort, to address: SocketAddress) {
        captureLast(of: port.batch, from: outsideAddress(.udp, address), to: address)
    }

    func captureSentInside(to address: SocketAddress) {
        captureLast(of: insideBatch, from: inside, to: address)
    }

    private func captureLast(of batch: borrowing SendBatch, from source: SocketAddress, to address: SocketAddress) {
        capture?.copy(batch.last, over: .udp, from: source, to: address)
    }

    func captureSentInside(_ bytes: [UInt8], over connection: SocketAddress) {
        capture?.copy(bytes.span, over: .tcp, from: inside, to: connection)
    }

    func captureSent(_ bytes: [UInt8], on peer: StreamPeer) {
        capture?.copy(
            bytes.span, over: peer.transport, from: peer.connection.localAddress ?? outsideAddress(peer.transport, peer.connection.peer),
            to: peer.connection.peer)
    }

    private func outsideAddress(_ arrival: Arrival) -> SocketAddress {
        peers[arrival.connection]?.connection.localAddress ?? outsideAddress(arrival.transport, arrival.source)
    }

    /// Where this phone sees this edge, if the socket has no address of its own.
    private func outsideAddress(_ transport: Transport, _ phone: SocketAddress) -> SocketAddress {
        guard let bound = outsidePort(for: phone)?.socket.localAddress, bound.address != .anyIPv4, bound.address != .anyIPv6 else {
            return settings.outside.address(over: transport, for: phone)
        }
        return bound
    }
}
