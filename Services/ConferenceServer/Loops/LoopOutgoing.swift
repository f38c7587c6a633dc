import Addresses
import Datagrams

/// The mixer's way out of a loop: its socket, and a batch that one system call empties.
struct LoopOutgoing: ~Copyable, Outgoing {
    let socket: DatagramSocket
    private var batch = SendBatch(capacity: 128, size: 256)
    private let onEvent: @Sendable (MixerEvent) -> Void
    private(set) var refused = 0

    init(socket: consuming DatagramSocket, onEvent: @escaping @Sendable (MixerEvent) -> Void) {
        self.socket = socket
        self.onEvent = onEvent
    }

    mutating func send(_ packet: Span<UInt8>, to address: SocketAddress) {
        if batch.isFull { flush() }
        if !batch.append(packet, to: address) { refused += 1 }
    }

    mutating func report(_ event: MixerEvent) { onEvent(event) }

    mutating func flush() { refused += socket.send(&batch) }
}
