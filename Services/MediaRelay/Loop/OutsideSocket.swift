import Addresses
import Datagrams

/// The UDP socket of one port of a session, connected to the phone once it is known.
final class OutsideSocket {
    let socket: DatagramSocket
    private(set) var isConnected = false

    /// Nil while strangers are heard as well.
    var connectedDescriptor: Int32? { isConnected ? socket.descriptor : nil }

    init(bind address: SocketAddress, dscp: Int) throws(SocketError) {
        socket = try DatagramSocket(bind: address, receiveBuffer: 1 << 18)
        // Sound without its mark is still sound.
        try? socket.mark(dscp: dscp)
    }

    /// From now on the kernel keeps strangers away. Without success they are kept away packet by packet.
    func connect(to peer: SocketAddress) {
        do {
            try socket.connect(to: peer)
            isConnected = true
        } catch {
            isConnected = false
        }
    }

    func send(_ packet: Span<UInt8>, to peer: SocketAddress) -> SendOutcome {
        socket.send(packet, to: isConnected ? nil : peer)
    }
}
