import Addresses
import Datagrams
import Testing

/// A phone's socket: sends RTP to a port of the relay and hears what comes.
final class Ear {
    let address: IPAddress
    /// Where what it heard last came from.
    private(set) var source: SocketAddress?
    private let socket: DatagramSocket
    /// Where reports come (RFC 3550 §11): were it another test's socket, that would hear them.
    private let control: DatagramSocket?
    private var batch = ReceiveBatch(capacity: 1)

    init(at address: IPAddress = .loopbackIPv4) throws {
        self.address = address
        var first = try DatagramSocket(bind: SocketAddress(address, port: 0))
        var second: DatagramSocket?
        while second == nil {
            let next = first.localAddress.port.addingReportingOverflow(1)
            if !next.overflow { second = Self.open(SocketAddress(address, port: next.partialValue)) }
            if second == nil { first = try DatagramSocket(bind: SocketAddress(address, port: 0)) }
        }
        socket = first
        control = second
    }

    private static func open(_ address: SocketAddress) -> DatagramSocket? {
        do { return try DatagramSocket(bind: address) } catch { return nil }
    }

    var port: UInt16 { socket.localAddress.port }

    func send(_ bytes: [UInt8], to port: UInt16) { socket.send(bytes, to: SocketAddress(address, port: port)) }

    /// The next packet, however long the relay stands still among many tests.
    func hears() async throws -> [UInt8] {
        for _ in 0..<12_000 {
            if let bytes = next() { return bytes }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("nothing came")
        return []
    }

    /// What has come already; nil when that is nothing.
    func next() -> [UInt8]? {
        guard socket.receive(into: &batch, limit: 1) > 0 else { return nil }
        source = batch[0].source
        var copy: [UInt8] = []
        for index in batch[0].bytes.indices { copy.append(batch[0].bytes[index]) }
        return copy
    }

    func hearsNothing() async throws -> Bool {
        try await Task.sleep(for: .milliseconds(100))
        return socket.receive(into: &batch, limit: 1) == 0
    }
}
