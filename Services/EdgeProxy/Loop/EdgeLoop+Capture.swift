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
    func captureSentOutside(to address: SocketAddress) {
        capture?.copy(outsideBatch.last, over: .udp, from: outsideAddress, to: address)
    }

    func captureSentInside(to address: SocketAddress) {
        capture?.copy(insideBatch.last, over: .udp, from: inside, to: address)
    }

    func captureSentInside(_ bytes: [UInt8], over connection: SocketAddress) {
        capture?.copy(bytes.span, over: .tcp, from: inside, to: connection)
    }

    func captureSent(_ bytes: [UInt8], on peer: StreamPeer) {
        capture?.copy(
            bytes.span, over: peer.transport, from: peer.connection.localAddress ?? outsideAddress, to: peer.connection.peer)
    }

    private func outsideAddress(_ arrival: Arrival) -> SocketAddress {
        peers[arrival.connection]?.connection.localAddress ?? outsideAddress
    }

    /// Where phones see this edge, if its socket has no address of its own.
    private var outsideAddress: SocketAddress {
        outsideSocket.localAddress.address == .anyIPv4 ? settings.reachable : outsideSocket.localAddress
    }
}
