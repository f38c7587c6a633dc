import Addresses
import Datagrams

/// The UDP socket of one port of a session, connected to the phone once it is known.
final class OutsideSocket {
    let socket: DatagramSocket
    private(set) var isConnected = false

    init(bind address: SocketAddress, dscp: Int) throws(SocketError) {
        socket = try DatagramSocket(bind: address, receiveBuffer: 1 << 18)
        mark(dscp)
    }

    /// Sound without its mark is still sound.
    func mark(_ dscp: Int) { try? socket.mark(dscp: dscp) }

    /// Goes on with the socket of a predecessor, connected or not.
    init?(descriptor: Int32) {
        guard let socket = DatagramSocket(adopting: descriptor) else { return nil }
        isConnected = socket.peer != nil
        self.socket = socket
    }

    /// Its predecessor may have connected it since.
    func recall() { isConnected = socket.peer != nil }

    /// Everybody is heard again, and judged packet by packet.
    func disconnect() throws(SocketError) {
        guard isConnected else { return }
        try socket.disconnect()
        isConnected = false
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
