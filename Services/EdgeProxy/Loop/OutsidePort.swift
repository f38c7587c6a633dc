import Addresses
import Datagrams

/// The port of one loop for datagrams from outside, of one family of addresses, and what leaves from it next.
final class OutsidePort {
    let socket: DatagramSocket
    var batch = SendBatch(capacity: 64, size: 65_536)

    init(bind address: SocketAddress) throws(SocketError) {
        socket = try DatagramSocket(bind: address, reusePort: true, receiveBuffer: 4 << 20)
    }

    /// Nil when the edge does not listen on an address of that family.
    static func bind(_ address: SocketAddress?) throws(SocketError) -> OutsidePort? {
        guard let address else { return nil }
        return try OutsidePort(bind: address)
    }

    func makeRoom() {
        if batch.isFull { socket.send(&batch) }
    }

    func flush() { socket.send(&batch) }
}
