import Addresses
import Datagrams

/// The UDP socket of one port of a session, connected to the phone once it is known.
final class OutsideSocket {
    let socket: DatagramSocket
    private(set) var isConnected = false
    /// Connected, and nothing is left of what came before: all that will be read is the peer's.
    private var isSoleSource = false

    init(bind address: SocketAddress, dscp: Int) throws(SocketError) {
        socket = try DatagramSocket(bind: address, receiveBuffer: 1 << 18)
        mark(dscp)
    }

    /// Sound without its mark is still sound.
    func mark(_ dscp: Int) { try? socket.mark(dscp: dscp) }

    /// Where it takes packets: of one bound to every address that is known once it is connected.
    var currentAddress: SocketAddress? { socket.currentAddress }

    /// Goes on with the socket of a predecessor, connected or not.
    init?(descriptor: Int32) {
        guard let socket = DatagramSocket(adopting: descriptor) else { return nil }
        isConnected = socket.peer != nil
        self.socket = socket
    }

    /// Its predecessor may have connected it since.
    func recall() { (isConnected, isSoleSource) = (socket.peer != nil, false) }

    /// Everybody is heard again, and judged packet by packet.
    func disconnect() throws(SocketError) {
        guard isConnected else { return }
        try socket.disconnect()
        (isConnected, isSoleSource) = (false, false)
    }

    /// From now on the kernel keeps strangers away. Without success they are kept away packet by packet.
    func connect(to peer: SocketAddress) {
        do {
            try socket.connect(to: peer)
            isConnected = true
            isSoleSource = !socket.hasWaiting
        } catch {
            (isConnected, isSoleSource) = (false, false)
        }
    }

    /// Reads one datagram; false when there was none. A connected socket takes none but those of its peer, which is `phone`.
    func receive(into batch: inout ReceiveBatch, from phone: SocketAddress?) -> Bool {
        if isSoleSource, let phone { return socket.receive(into: &batch, from: phone) }
        let isThere = socket.receive(into: &batch, limit: 1) > 0
        if isConnected { isSoleSource = !socket.hasWaiting }
        return isThere
    }

    func send(_ packet: Span<UInt8>, to peer: SocketAddress) -> SendOutcome {
        socket.send(packet, to: isConnected ? nil : peer)
    }
}
